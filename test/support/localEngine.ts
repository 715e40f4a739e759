import { loadCore, loadWatchCore } from "../../src/env/node/core.ts";
import { gradeWorkers } from "../../src/env/node/gradeWorker.ts";
import { openToolchains } from "../../src/env/node/toolchains.ts";
import type { EngineClient } from "../../src/extension/engineClient.ts";
import type { EngineEvents, EngineRequests } from "../../src/protocol/engine.ts";
import { type Port, RpcClient } from "../../src/protocol/rpc.ts";
import { serveEngine } from "../../src/worker/engineParts.ts";
import { catalog, repository } from "./lab.ts";

/** Two ends of a pipe; messages are copied, and come in a later turn, as between processes. */
export function portPair(): [Port, Port] {
	const listeners = [new Set<(message: unknown) => void>(), new Set<(message: unknown) => void>()] as const;
	const port = (own: 0 | 1): Port => ({
		post: (message) => {
			const copy = structuredClone(message);
			setImmediate(() => {
				for (const listener of listeners[own === 0 ? 1 : 0]) listener(copy);
			});
		},
		onMessage: (listener) => {
			listeners[own].add(listener);
			return { dispose: () => listeners[own].delete(listener) };
		},
	});
	return [port(0), port(1)];
}

/**
 * The engine as src/ has it, in this process: the same messages as over a process' pipe. For what has to follow a change of the sources at once;
 * realEngine.ts starts the built one.
 */
export function localEngine(): EngineClient & { close(): Promise<void>; crash(why: string): void } {
	const [near, far] = portPair();
	const engine = serveEngine(far, {
		catalog,
		core: () => loadCore(),
		watchCore: () => loadWatchCore(),
		openToolchains: () => openToolchains({ kind: "bundled" }),
		gradeWorkers: async () => gradeWorkers(`${repository}/dist`),
		breathe: () => new Promise((resolve) => setImmediate(resolve)),
		now: () => performance.now(),
	});
	const client = new RpcClient<EngineRequests, EngineEvents>(near);
	const crashes = new Set<(why: string) => void>();
	return {
		request: client.request.bind(client) as EngineClient["request"],
		on: client.on.bind(client) as EngineClient["on"],
		onCrash: (listener) => {
			crashes.add(listener);
			return { dispose: () => crashes.delete(listener) };
		},
		dispose: () => {
			client.dispose();
			void engine.close();
		},
		close: async () => {
			await engine.close();
			client.dispose();
		},
		crash: (why) => {
			for (const listener of [...crashes]) listener(why);
			void engine.close();
		},
	};
}
