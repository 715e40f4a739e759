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

/** The core that detectors watch, compiled at each call. */
export function loadWatchCore(dist: string = distFolder()): Promise<WebAssembly.Module> {
	return compile(join(dist, "machine/core-watch.wasm"));
}

async function compile(file: string): Promise<WebAssembly.Module> {
	readBranchHints();
	return WebAssembly.compile(new Uint8Array(await readFile(file)));
}

/** Translated code says which branches are hardly ever taken: V8 listens without being asked since version 14. */
function readBranchHints(): void {
	if (Number.parseInt(process.versions.v8, 10) < 14) setFlagsFromString("--experimental-wasm-branch-hinting");
}
