import { type ChildProcess, fork, type Serializable } from "node:child_process";
import { join } from "node:path";
import { UserError } from "../../common/errors.ts";
import { Emitter } from "../../common/event.ts";
import type { EngineEvents, EngineRequests } from "../../protocol/engine.ts";
import { type Port, RpcClient } from "../../protocol/rpc.ts";

/** What the engine's process gets as its only argument, as JSON. */
export interface EngineProcessData {
	/** Folder of the built product. */
	readonly dist: string;
	/** Folder of the object cache. */
	readonly cache: string;
	/** Compilers that had nothing to do for so long are let go; absent: {@link compilerIdleMs}. */
	readonly idleMs?: number;
}

/** The engine's last words, after an error that nobody caught. */
export interface EngineCrash {
	readonly crash: string;
}

/** An engine that does not answer for so long is stopped where it is. VS Code gives an extension some seconds to end. */
const mostToClose = 2000;
/** Of what a process says when V8 or the system ends it. */
const mostSaid = 2000;
const closing = new Set<Promise<unknown>>();

/** Resolves when every engine that was disposed of has ended. */
export async function enginesClosed(): Promise<void> {
	await Promise.all(closing);
}

/**
 * Starts an engine in a process of its own: a guest's RAM, compilers, and V8's flags for them do not touch the extension host, and one
 * that takes too much memory ends alone. It ends with this process, whatever ends that.
 */
export function startNodeEngine(dist: string, cache: string, options: Pick<EngineProcessData, "idleMs"> = {}) {
	const data: EngineProcessData = { dist, cache, ...options };
	const child = fork(join(dist, "worker/engine.node.cjs"), [JSON.stringify(data)], {
		serialization: "advanced",
		// Nothing of a debugger that is attached to the extension host.
		execArgv: [],
		stdio: ["ignore", "ignore", "pipe", "ipc"],
		env: { ...process.env, ...memoryReturns, ELECTRON_RUN_AS_NODE: "1" },
	});
	const client = new RpcClient<EngineRequests, EngineEvents>(portOf(child));
	const crash = new Emitter<string>();
	const gone = new Promise<void>((resolve) => {
		child.once("exit", () => resolve());
		child.once("error", () => resolve());
	});
	let said = "";
	let ended = false;
	const fail = (why: string) => {
		if (ended) return;
		ended = true;
		client.close(
			new UserError("worker-crashed", `The engine crashed: ${why}`, "Restart the machine; no file was touched."),
		);
		crash.fire(why);
	};
	child.stderr?.on("data", (bytes: Buffer) => {
		said = (said + bytes.toString()).slice(-mostSaid);
	});
	child.on("message", (message) => isCrash(message) && fail(message.crash));
	child.on("error", (error: Error) => fail(error.message));
	child.on("exit", (code, signal) => {
		fail(lastWords(said) ?? (signal ? `signal ${signal} ended it` : `it ended with code ${code}`));
		// Of one that ends while it is being closed.
		client.dispose();
	});
	return {
		/** Of the system; undefined: it could not be started. */
		pid: child.pid,
		request: client.request.bind(client) as typeof client.request,
		on: client.on.bind(client) as typeof client.on,
		onCrash: crash.event,
		dispose: () => {
			crash.dispose();
			const isOver = ended;
			ended = true;
			const end = async () => {
				let timer: ReturnType<typeof setTimeout> | undefined;
				const late = new Promise<void>((resolve) => {
					timer = setTimeout(resolve, mostToClose);
				});
				// The engine may be dead already; then nobody answers.
				if (!isOver) await Promise.race([client.request("close", undefined).catch(() => undefined), late]);
				clearTimeout(timer);
				client.dispose();
				child.kill("SIGKILL");
				await gone;
			};
			const ending = end().finally(() => closing.delete(ending));
			closing.add(ending);
		},
	};
}

/**
 * What glibc frees goes back to the system. By default it keeps it in an arena for each thread that ever was, and learns to keep more the
 * larger the blocks are: of a compiler that has ended, 300 MB. Other systems' libraries do not know these names.
 */
const memoryReturns = {
	MALLOC_ARENA_MAX: "2",
	MALLOC_TRIM_THRESHOLD_: "1048576",
	MALLOC_MMAP_THRESHOLD_: "262144",
};

function portOf(child: ChildProcess): Port {
	return {
		post: (message) => {
			// One that is gone answers nothing; its end is told by itself.
			if (child.connected) child.send(message as Serializable, () => undefined);
		},
		onMessage: (listener) => {
			const handle = (message: Serializable) => {
				if (!isCrash(message)) listener(message);
			};
			child.on("message", handle);
			return { dispose: () => child.off("message", handle) };
		},
	};
}

const isCrash = (message: Serializable): message is EngineCrash & object =>
	typeof message === "object" && message !== null && "crash" in message;

/** V8's own words when it ends a process, which has no time to say more. */
function lastWords(said: string): string | undefined {
	return /FATAL ERROR: (.*)/.exec(said)?.[1]?.trim();
}
