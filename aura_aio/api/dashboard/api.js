// The contract's operations that the page uses, by their operationId, and nothing else of the server.

import { needToken, token } from "./token.js";

/** Of each operation its method, its path, and the scope that a token needs for it; held against openapi.yaml by a test. */
export const OPERATIONS = {
  startSystem: ["POST", "/api/system/start", "admin"],
  stopSystem: ["POST", "/api/system/stop", "admin"],
  getSystemStatus: ["GET", "/api/system/status", "read"],
  reloadPlans: ["POST", "/api/system/reload", "admin"],
  listPlans: ["GET", "/api/plans", "read"],
  getPlan: ["GET", "/api/plans/{plan_name}", "read"],
  listPlanTasks: ["GET", "/api/plans/{plan_name}/tasks", "read"],
  getTaskStatusBatch: ["POST", "/api/tasks/status/batch", "read"],
  getTask: ["GET", "/api/plans/{plan_name}/tasks/{task_name}", "read"],
  runTask: ["POST", "/api/tasks/run", "run"],
  cancelTask: ["POST", "/api/tasks/{cid}/cancel", "run"],
  retryTask: ["POST", "/api/tasks/{cid}/retry", "run"],
  listActiveRuns: ["GET", "/api/runs/active", "read"],
  listRuns: ["GET", "/api/runs", "read"],
  getRun: ["GET", "/api/runs/{cid}", "read"],
  getRunTimeline: ["GET", "/api/runs/{cid}/timeline", "read"],
  getRunDefinition: ["GET", "/api/runs/{cid}/definition", "read"],
  listRunLogs: ["GET", "/api/runs/{cid}/logs", "read"],
  getQueueOverview: ["GET", "/api/queue/overview", "read"],
  listQueue: ["GET", "/api/queue/list", "read"],
  moveToPosition: ["POST", "/api/queue/{cid}/move-to-position", "run"],
  reorderQueue: ["POST", "/api/queue/reorder", "run"],
  removeFromQueue: ["DELETE", "/api/queue/{cid}", "run"],
  updateTaskPriority: ["PATCH", "/api/tasks/{cid}/priority", "run"],
  updateTaskRunAt: ["PATCH", "/api/tasks/{cid}/run-at", "run"],
  pauseQueue: ["POST", "/api/queue/pause", "run"],
  resumeQueue: ["POST", "/api/queue/resume", "run"],
  listSchedules: ["GET", "/api/schedules", "read"],
  updateSchedule: ["PATCH", "/api/schedules/{schedule_id}", "admin"],
  runScheduleNow: ["POST", "/api/schedules/{schedule_id}/run", "run"],
  createTicket: ["POST", "/api/auth/ticket", "read"],
  getGrant: ["GET", "/api/auth/grant", "read"],
};

/** An error that the server answered, a problem of RFC 9457. */
export class Problem extends Error {
  constructor(body, status) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.title = body.title ?? "";
    this.errors = body.errors ?? [];
    this.requestId = body.request_id;
  }
}

/** The server could not be asked at all. */
export class Unreachable extends Error {}

/** @typedef {{query?: object, body?: object, headers?: Record<string, string>, signal?: AbortSignal, accept?: string}} Options */

/**
 * Asks the server for an operation. When it asks for a token, a person is asked, and then the server
 * once more.
 * @param {keyof typeof OPERATIONS} operation
 * @param {Record<string, string>} [path] the parameters in its path
 * @param {Options} [options]
 * @returns {Promise<any>} the answer's JSON; with `accept`, its text
 * @throws {Problem | Unreachable}
 */
export async function call(operation, path = {}, options = {}) {
  const [method, template] = OPERATIONS[operation];
  const url = new URL(pathOf(template, path), location.origin);
  for (const [name, value] of Object.entries(options.query ?? {})) {
    for (const each of [value].flat()) if (each !== undefined) url.searchParams.append(name, each);
  }
  for (;;) {
    const shown = token();
    try {
      return await send(method, url, options, shown);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      if (!(await needToken(shown, error.message))) throw error;
    }
  }
}

/** A path of the contract with its parameters filled in. */
export function pathOf(template, path) {
  return template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name]));
}

/** @param {string} method @param {URL} url @param {Options} options @param {string | undefined} shown */
async function send(method, url, { body, headers, signal, accept }, shown) {
  /** @type {RequestInit & {headers: Record<string, string>}} */
  const request = { method, signal, headers: { Accept: accept ?? "application/json", ...headers }, cache: "no-store" };
  if (shown !== undefined) request.headers.Authorization = `Bearer ${shown}`;
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["Content-Type"] = "application/json";
  }
  let response;
  let answer;
  try {
    response = await fetch(url, request);
    answer = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(String(error));
  }
  if (accept && response.ok) return answer;
  let value = {};
  try {
    value = JSON.parse(answer);
  } catch {
    // A proxy that answers for the server may answer anything.
    if (response.ok) throw new Unreachable(`${url.pathname}: no JSON`);
  }
  if (!response.ok) throw new Problem(value, response.status);
  return value;
}

/** A key under which the same request, sent again after a lost answer, is done once. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}

/** The address of the log stream of this server, for one connection. */
export async function logStreamUrl() {
  const { ticket } = await call("createTicket");
  const url = new URL("/ws/logs", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("ticket", ticket);
  return url.href;
}
