import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../../../src/env/node/cacheFolder.ts";
import { enginesClosed, startNodeEngine } from "../../../src/env/node/engineProcess.ts";
import type { EngineEvents, MachineState, StopKind } from "../../../src/protocol/engine.ts";
import { catalog, repository } from "../../support/lab.ts";

/** The built engine in its process (dist/worker/engine.node.cjs), with what a host would see of it. */
export class RealEngine {
	readonly client: ReturnType<typeof startNodeEngine>;
	/** The console, as it came. */
	text = "";
	readonly states: EngineEvents["state"][] = [];
	readonly stalls: string[] = [];
	private readonly waiting = new Set<() => void>();
	/** Bytes that the console's reader shows at once; false: it never says so. */
	shows = true;

	constructor(options: Parameters<typeof startNodeEngine>[2] = {}) {
		this.client = startNodeEngine(join(repository, "dist"), cacheFolder(), options);
		const decoder = new TextDecoder();
		this.client.on("console", ({ bytes }) => {
			this.text += decoder.decode(bytes, { stream: true });
			if (this.shows) void this.client.request("consoleShown", { bytes: bytes.length }).catch(() => undefined);
			this.check();
		});
		this.client.on("state", (state) => {
			this.states.push(state);
			this.check();
		});
		this.client.on("stall", ({ message }) => this.stalls.push(message));
	}

	get state(): MachineState | undefined {
		return this.states.at(-1)?.state;
	}

	get stop(): StopKind | undefined {
		return this.states.at(-1)?.stop;
	}

	/** Builds a lab's kernel (`stage`: a folder under its solution/), with files changed, and boots it. */
	async boot(lab: string | undefined, stage: string | undefined, options: Boot = {}): Promise<void> {
		const files = new Map(await catalog.workspace(lab, stage));
		for (const [path, change] of Object.entries(options.edits ?? {})) {
			const before = new TextDecoder().decode(files.get(path));
			const after = change(before);
			if (after === before) throw new Error(`nothing changed in ${path}`);
			files.set(path, new TextEncoder().encode(after));
		}
		const changed = [...files].map(([path, bytes]) => ({ path, bytes }));
		await this.client.request("sync", { changed, removed: [] });
		const summary = await this.client.request("build", { toolchain: "bundled" });
		if (!summary.ok) throw new Error(summary.diagnostics.map(({ message }) => message).join("\n"));
		await this.client.request("boot", { harts: options.harts ?? 1, translator: true });
	}

	type(text: string): Promise<undefined> {
		return this.client.request("input", { bytes: new TextEncoder().encode(text) });
	}

	/** Waits, on the host's clock, until something is so. */
	async until(what: string, holds: () => boolean, ms = 20_000): Promise<void> {
		if (holds()) return;
		await new Promise<void>((resolve, reject) => {
			const timer = setTimeout(() => {
				this.waiting.delete(look);
				reject(new Error(`${what} never came; the console ends: ${this.text.slice(-300)}`));
			}, ms);
			const look = () => {
				if (!holds()) return;
				clearTimeout(timer);
				this.waiting.delete(look);
				resolve();
			};
			this.waiting.add(look);
		});
	}

	printed(what: string, from = 0): Promise<void> {
		return this.until(what, () => this.text.indexOf(what, from) >= 0);
	}

	async close(): Promise<void> {
		this.client.dispose();
		await enginesClosed();
	}

	private check(): void {
		for (const look of [...this.waiting]) look();
	}
}

export interface Boot {
	readonly harts?: number;
	readonly edits?: Readonly<Record<string, (text: string) => string>>;
}

/** A folder that is gone after the work. */
export async function scratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab-session-"));
	try {
		return await work(folder);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
