"""The task language: one small task and its outcome for each rule."""
