import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startNodeEngine } from "../../src/env/node/engineProcess.ts";
import { runDebugSessions } from "./debugScenario.ts";
import {
	type EngineResult,
	type MachineJob,
	type MachineResult,
	runEngine,
	runMachine,
	runRecording,
} from "./scenarios.ts";

// The same in Node, with the same built files.

export function machine(dist: string, image: string, harts: number, jit: MachineJob["jit"]): Promise<MachineResult> {
	const [core, kernel, disk] = [join(dist, "machine/core.wasm"), join(image, "kernel"), join(image, "fs.img")].map(
		(path) => new Uint8Array(readFileSync(path)),
	) as [Uint8Array, Uint8Array, Uint8Array];
	return runMachine({ core, kernel, disk, harts, jit });
}

export function engine(
	dist: string,
	cache: string,
	tree: string,
	paths: string[],
	test: string,
): Promise<EngineResult> {
	const files = paths.map((path) => [path, new Uint8Array(readFileSync(join(tree, path)))] as const);
	return runEngine(startNodeEngine(dist, cache), files, test);
}

export function debug(dist: string, cache: string, tree: string, paths: string[]): Promise<readonly string[]> {
	const files = paths.map((path) => [path, new Uint8Array(readFileSync(join(tree, path)))] as const);
	return runDebugSessions(startNodeEngine(dist, cache), files);
}

export function recording(dist: string, cache: string, file: string): Promise<readonly [boolean, number, string]> {
	return runRecording(startNodeEngine(dist, cache), new Uint8Array(readFileSync(file)));
}
