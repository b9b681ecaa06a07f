// Times, durations and numbers as people read them.

import { language, t } from "./i18n.js";

const whole = new Intl.NumberFormat(language);
const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "narrow" });
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });
const dateAndTime = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const dayAndMinute = new Intl.DateTimeFormat(language, { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const units = new Map();

function amount(value, unit, digits = 0) {
  const key = `${unit} ${digits}`;
  if (!units.has(key)) {
    units.set(key, new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: digits }));
  }
  return units.get(key).format(value);
}

export function number(value) {
  return whole.format(value);
}

/** A number where there is little room: `5,987` is `6K`. */
export function shortNumber(value) {
  return compact.format(value);
}

/** Seconds as `4ms`, `1.2s`, `3m 20s`, `5h 1m`, `2d 3h`; a dash when there are none. */
export function duration(seconds) {
  if (seconds === undefined) return "–";
  if (seconds < 0.9995) return amount(seconds * 1000, "millisecond", seconds < 0.00995 ? 1 : 0);
  if (seconds < 59.95) return amount(seconds, "second", 1);
  const total = Math.round(seconds);
  const [days, hours, minutes] = [Math.floor(total / 86400), Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60];
  if (days) return both([days, "day"], [hours, "hour"]);
  if (hours) return both([hours, "hour"], [minutes, "minute"]);
  return both([minutes, "minute"], [total % 60, "second"]);
}

function both(more, less) {
  return less[0] ? `${amount(...more)} ${amount(...less)}` : amount(...more);
}

/** Seconds between two times of the contract; to now without the second. Never below 0. */
export function secondsBetween(from, to) {
  const end = to === undefined ? Date.now() : Date.parse(to);
  return Math.max(0, (end - Date.parse(from)) / 1000);
}

/** A time as seen from now: `5s ago`, `in 2h`. */
export function ago(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 1) return t("time.now");
  if (size < 60) return relative.format(Math.trunc(seconds), "second");
  if (size < 3600) return relative.format(Math.trunc(seconds / 60), "minute");
  if (size < 86400) return relative.format(Math.trunc(seconds / 3600), "hour");
  return relative.format(Math.trunc(seconds / 86400), "day");
}

/** The local time of day, to the millisecond. */
export function timeOfDay(time) {
  return clock.format(new Date(time));
}

/** Local date and time, and the same in UTC as the contract has it. */
export function bothTimes(time) {
  return t("time.both", { local: localTime(time), utc: time });
}

export function localTime(time) {
  return dateAndTime.format(new Date(time));
}

/** Local day and time, without the year and the seconds. */
export function shortTime(time) {
  return dayAndMinute.format(new Date(time));
}

export function percent(fraction) {
  return `${Math.round(fraction * 100)}%`;
}
