// The machine's core, compiled once a process.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { distFolder } from "./dist.ts";

let core: Promise<WebAssembly.Module> | undefined;

/** The core of a built `dist` folder, the first that a process asks for. Rejects where there is none: `npm run build` makes it. */
export function loadCore(dist: string = distFolder()): Promise<WebAssembly.Module> {
	core ??= compile(join(dist, "machine/core.wasm"));
	return core;
}

let watchCore: Promise<WebAssembly.Module> | undefined;

/** The core that detectors and coverage watch. */
export function loadWatchCore(dist: string = distFolder()): Promise<WebAssembly.Module> {
	watchCore ??= compile(join(dist, "machine/core-watch.wasm"));
	return watchCore;
}

async function compile(file: string): Promise<WebAssembly.Module> {
	readBranchHints();
	return WebAssembly.compile(new Uint8Array(await readFile(file)));
}

/** Translated code says which branches are hardly ever taken: V8 listens without being asked since version 14. */
function readBranchHints(): void {
	if (Number.parseInt(process.versions.v8, 10) < 14) setFlagsFromString("--experimental-wasm-branch-hinting");
}
