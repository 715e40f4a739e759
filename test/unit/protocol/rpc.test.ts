import { expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
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
