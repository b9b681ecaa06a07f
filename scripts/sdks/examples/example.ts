// What a client does all day: run a task, wait for it, read its log, cancel one, page through runs.
//
// `node dist/example.js http://127.0.0.1:18098`, with a token in AURA_TOKEN where the server asks for one.

import {
  CancelMode,
  Configuration,
  LogsApi,
  ResponseError,
  RunStatus,
  RunsApi,
  TasksApi,
  type Problem,
  type Run,
} from "./index.js";

const configuration = new Configuration({
  basePath: process.argv[2],
  accessToken: process.env.AURA_TOKEN,
});
const tasks = new TasksApi(configuration);
const runs = new RunsApi(configuration);
const logs = new LogsApi(configuration);

/** Run a task of the plan `hello`; its cid. */
async function start(taskName: string, inputs: Record<string, unknown>): Promise<string> {
  const accepted = await tasks.runTask({
    adHocTaskRequest: { planName: "hello", taskName, inputs },
  });
  return accepted.cid;
}

/** The run once it has finished: each call waits for up to 20 seconds, nothing polls. */
async function waitFor(cid: string): Promise<Run> {
  for (;;) {
    const run = await runs.getRun({ cid, waitSec: 20 });
    if (run.finishedAt !== undefined) return run;
  }
}

/** Print what the run has said. */
async function showLog(cid: string): Promise<void> {
  const page = await logs.listRunLogs({ cid, limit: 100 });
  for (const entry of page.items) {
    console.log(entry.timestamp.toISOString().slice(11, 19), entry.level, entry.message);
  }
}

/** All runs of the plan, the newest first, in small pages. */
async function* cids(): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const page = await runs.listRuns({ planName: "hello", limit: 2, cursor });
    for (const run of page.items) yield run.cid;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

async function main(): Promise<void> {
  const greeted: string[] = [];
  for (const name of ["Ada", "Grace", "Barbara"]) greeted.push(await start("greet", { name }));
  for (const cid of greeted) {
    const run = await waitFor(cid);
    if (run.status !== RunStatus.Succeeded) throw new Error(`${cid} has ${run.status}`);
    console.log(`${run.taskName}: ${run.status} with ${JSON.stringify(run.result)}`);
  }
  for (const cid of greeted.slice(0, 1)) await showLog(cid);

  const slow = await start("breakfast", { seconds: 60 });
  await tasks.cancelTask({
    cid: slow,
    cancelRequest: { mode: CancelMode.Graceful, reason: "Only an example" },
  });
  console.log(`breakfast: ${(await waitFor(slow)).status}`);

  const listed = new Set<string>();
  for await (const cid of cids()) listed.add(cid);
  const started = [slow, ...greeted];
  if (!started.every((cid) => listed.has(cid))) throw new Error("a run is not listed");
  console.log(`all ${started.length} are among the listed`);
}

main().catch(async (error: unknown) => {
  if (error instanceof ResponseError) {
    const problem = (await error.response.json()) as Problem;
    console.error(`${problem.title}: ${problem.detail}`);
  } else {
    console.error(error);
  }
  process.exitCode = 1;
});
