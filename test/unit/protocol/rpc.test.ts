import { expect, test } from "vitest";
import { BugError, UserError } from "../../../src/common/errors.ts";
import { type Port, RpcClient, sendEvent, serve } from "../../../src/protocol/rpc.ts";

interface Requests {
	double: { params: number; result: number };
	fail: { params: undefined; result: undefined };
	never: { params: undefined; result: undefined };
}

function pair(): [Port, Port] {
	const make = () => new Set<(message: unknown) => void>();
	const [left, right] = [make(), make()];
	const port = (own: Set<(message: unknown) => void>, other: Set<(message: unknown) => void>): Port => ({
		post: (message) =>
			queueMicrotask(() => {
				for (const listener of other) listener(structuredClone(message));
			}),
		onMessage: (listener) => {
			own.add(listener);
			return { dispose: () => own.delete(listener) };
		},
	});
	return [port(left, right), port(right, left)];
}

function connect() {
	const [near, far] = pair();
	serve<Requests>(far, {
		double: async (value) => 2 * value,
		fail: async () => {
			throw new UserError("guest-panic", "It panicked", "Look.");
		},
		never: () => new Promise(() => undefined),
	});
	return { client: new RpcClient<Requests, { tick: number }>(near), far };
}

test("a request is answered, a failure arrives as the same error", async () => {
	const { client } = connect();
	expect(await client.request("double", 21)).toBe(42);
	await expect(client.request("fail", undefined)).rejects.toMatchObject({ code: "guest-panic", nextStep: "Look." });
});

test("events reach their listeners in order until they leave", async () => {
	const { client, far } = connect();
	const seen: number[] = [];
	const subscription = client.on("tick", (value) => seen.push(value));
	sendEvent(far, "tick", 1);
	sendEvent(far, "tick", 2);
	await client.request("double", 0);
	subscription.dispose();
	sendEvent(far, "tick", 3);
	await client.request("double", 0);
	expect(seen).toEqual([1, 2]);
});

test("what is open when the other side ends fails, and nothing waits for ever", async () => {
	const { client } = connect();
	const waiting = client.request("never", undefined);
	client.close(new UserError("worker-crashed", "Gone", "Restart."));
	await expect(waiting).rejects.toMatchObject({ code: "worker-crashed" });
	await expect(client.request("double", 1)).rejects.toMatchObject({ code: "worker-crashed" });
});

test("a request without a handler fails as a defect of ours", async () => {
	const [near, far] = pair();
	serve<Record<string, never>>(far, {});
	const client = new RpcClient<{ other: { params: undefined; result: undefined } }, Record<string, never>>(near);
	await expect(client.request("other", undefined)).rejects.toThrow("no handler for other");
});

test("a request for what every object has is no request", async () => {
	const { client } = connect();
	for (const kind of ["constructor", "toString", "__proto__", "hasOwnProperty"])
		await expect(client.request(kind as "double", 1)).rejects.toThrow(`no handler for ${kind}`);
});

/** What a client sends is kept; a test answers it. */
function manual() {
	const sent: { id: number; kind: string; params: unknown }[] = [];
	const listeners = new Set<(message: unknown) => void>();
	const port: Port = {
		post: (message) => sent.push(message as (typeof sent)[number]),
		onMessage: (listener) => {
			listeners.add(listener);
			return { dispose: () => listeners.delete(listener) };
		},
	};
	const client = new RpcClient<Requests, { tick: number; tock: number }>(port);
	return {
		...{ client, sent, listeners },
		arrives: (message: unknown) => {
			for (const listener of listeners) listener(message);
		},
	};
}

test("answers that come in another order reach the requests that they are for", async () => {
	const { client, sent, arrives } = manual();
	const first = client.request("double", 1);
	const second = client.request("double", 2);
	expect(sent.map(({ kind, params }) => [kind, params])).toEqual([
		["double", 1],
		["double", 2],
	]);
	arrives({ type: "answer", id: sent[1]?.id, value: 4 });
	arrives({ type: "failure", id: sent[0]?.id, failure: { bug: "lost" } });
	expect(await second).toBe(4);
	await expect(first).rejects.toThrow("lost");
});

test("a second answer, one to nobody's request, and the other side's requests are ignored", async () => {
	const { client, sent, arrives } = manual();
	const asked = client.request("double", 1);
	const id = sent[0]?.id as number;
	arrives({ type: "answer", id: id + 100, value: 1 });
	arrives({ type: "failure", id: id + 100, failure: { bug: "nobody's" } });
	arrives({ type: "request", id, kind: "double", params: 3 });
	arrives({ type: "answer", id, value: 2 });
	arrives({ type: "failure", id, failure: { bug: "late" } });
	arrives({ type: "event", kind: "nobody listens", event: 1 });
	expect(await asked).toBe(2);
	expect(sent).toHaveLength(1);
});

test("an event is told to each of its listeners, and to no other's", () => {
	const { client, arrives } = manual();
	const seen: string[] = [];
	client.on("tick", (value) => seen.push(`a${value}`));
	client.on("tick", (value) => seen.push(`b${value}`));
	client.on("tock", (value) => seen.push(`c${value}`));
	arrives({ type: "event", kind: "tick", event: 1 });
	arrives({ type: "event", kind: "tock", event: 2 });
	expect(seen).toEqual(["a1", "b1", "c2"]);
});

test("a client that was disposed of has left the port, and its requests end as cancelled", async () => {
	const { client, sent, listeners } = manual();
	const open = client.request("never", undefined);
	client.dispose();
	await expect(open).rejects.toMatchObject({ code: "cancelled" });
	expect(listeners.size).toBe(0);
	await expect(client.request("double", 1)).rejects.toMatchObject({ code: "cancelled" });
	expect(sent).toHaveLength(1);
});

test("why the other side ended is what it said first", async () => {
	const { client } = manual();
	client.close(new UserError("worker-crashed", "Out of memory", "Restart."));
	client.close(new UserError("cancelled", "Closed", "Open."));
	await expect(client.request("double", 1)).rejects.toThrow("Out of memory");
});

test("a failure that is no message for people crosses as a defect, with where it was thrown", async () => {
	const [near, far] = pair();
	interface Failing {
		error: { params: undefined; result: undefined };
		text: { params: undefined; result: undefined };
		placed: { params: undefined; result: undefined };
	}
	const serving = serve<Failing>(far, {
		error: async () => {
			throw new TypeError("x is undefined");
		},
		text: () => Promise.reject("only text"),
		placed: () => Promise.reject(new UserError("usage", "Odd", "Write it.", { file: "Makefile", line: 3 })),
	});
	const client = new RpcClient<Failing, Record<string, never>>(near);
	const failure = await client.request("error", undefined).catch((error: Error) => error);
	expect(failure).toBeInstanceOf(BugError);
	expect((failure as Error).message).toMatch(/^TypeError: x is undefined\n.*rpc\.test\.ts/s);
	await expect(client.request("text", undefined)).rejects.toThrow(/^only text$/);
	await expect(client.request("placed", undefined)).rejects.toMatchObject({ position: { file: "Makefile", line: 3 } });
	// One that serves no more answers nothing.
	serving.dispose();
	const late = await Promise.race([
		client.request("text", undefined),
		new Promise((resolve) => setTimeout(resolve, 5)),
	]);
	expect(late).toBeUndefined();
});

test("a server takes answers and events for what they are: none of its requests", async () => {
	const posted: unknown[] = [];
	let listener: (message: unknown) => void = () => undefined;
	serve<Requests>(
		{
			post: (message) => posted.push(message),
			onMessage: (one) => {
				listener = one;
				return { dispose: () => undefined };
			},
		},
		{ double: async (value) => 2 * value, fail: async () => undefined, never: async () => undefined },
	);
	listener({ type: "answer", id: 1, value: 1, kind: "double" });
	listener({ type: "event", kind: "double", event: 1 });
	listener({ type: "request", id: 5, kind: "double", params: 4 });
	await new Promise(setImmediate);
	expect(posted).toEqual([{ type: "answer", id: 5, value: 8 }]);
});
