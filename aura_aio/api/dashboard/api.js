// The contract's operations that the page uses, by their operationId, and nothing else of the server.

import { needToken, token } from "./token.js";

/** An error that the server answered, a problem of RFC 9457. */
export class Problem extends Error {
  constructor(body, status) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.title = body.title ?? "";
    this.type = body.type ?? "";
    this.errors = body.errors ?? [];
    this.requestId = body.request_id;
  }
}

/** The server could not be asked at all. */
export class Unreachable extends Error {}

/** Asks the server; when it asks for a token, a person is asked, and then the server once more. */
async function ask(method, path, options = {}) {
  for (;;) {
    const shown = token();
    try {
      return await send(method, path, options, shown);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      if (!(await needToken(shown, error.message))) throw error;
    }
  }
}

async function send(method, path, { query, body, headers, signal }, shown) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const each of [value].flat()) if (each !== undefined) url.searchParams.append(name, each);
  }
  const request = { method, signal, headers: { Accept: "application/json", ...headers }, cache: "no-store" };
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
  let value = {};
  try {
    value = JSON.parse(answer);
  } catch {
    // A proxy that answers for the server may answer anything.
    if (response.ok) throw new Unreachable(`${path}: no JSON`);
  }
  if (!response.ok) throw new Problem(value, response.status);
  return value;
}

const part = encodeURIComponent;

export const startSystem = () => ask("POST", "/api/system/start");
export const stopSystem = (body) => ask("POST", "/api/system/stop", { body });
export const getSystemStatus = (signal) => ask("GET", "/api/system/status", { signal });
export const reloadPlans = (body) => ask("POST", "/api/system/reload", { body });

export const listPlans = (signal) => ask("GET", "/api/plans", { signal });
export const getPlan = (plan) => ask("GET", `/api/plans/${part(plan)}`);
export const listPlanTasks = (plan) => ask("GET", `/api/plans/${part(plan)}/tasks`);
export const getTask = (plan, task, signal) => ask("GET", `/api/plans/${part(plan)}/tasks/${part(task)}`, { signal });

export const runTask = (body, key) => ask("POST", "/api/tasks/run", { body, headers: { "Idempotency-Key": key } });
export const cancelTask = (cid, body) => ask("POST", `/api/tasks/${part(cid)}/cancel`, { body });

export const listActiveRuns = (signal) => ask("GET", "/api/runs/active", { signal });
export const listRuns = (query, signal) => ask("GET", "/api/runs", { query, signal });
export const getRun = (cid, query, signal) => ask("GET", `/api/runs/${part(cid)}`, { query, signal });
export const listRunLogs = (cid, query, signal) => ask("GET", `/api/runs/${part(cid)}/logs`, { query, signal });

export const getQueueOverview = (signal) => ask("GET", "/api/queue/overview", { signal });

export const createTicket = () => ask("POST", "/api/auth/ticket");

/** The address of the log stream of this server, for one connection. */
export async function logStreamUrl() {
  const { ticket } = await createTicket();
  const url = new URL("/ws/logs", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("ticket", ticket);
  return url.href;
}
