import { startWebEngine } from "../../src/env/web/engineWorker.ts";
import { runDebugSessions } from "./debugScenario.ts";
import { type EngineResult, type MachineJob, type MachineResult, runEngine, runRecording } from "./scenarios.ts";

// What the test calls in the page. Files come from the test's own server, which serves `dist`.

async function get(path: string): Promise<Uint8Array> {
	const response = await fetch(path);
	if (!response.ok) throw new Error(`${path}: ${response.status}`);
	return new Uint8Array(await response.arrayBuffer());
}

async function machine(harts: number, jit: MachineJob["jit"]): Promise<MachineResult> {
	const [core, kernel, disk] = await Promise.all(["/machine/core.wasm", "/image/kernel", "/image/fs.img"].map(get));
	const worker = new Worker("/test/machineWorker.js");
	try {
		return await new Promise<MachineResult>((resolve, reject) => {
			worker.onerror = (event) => reject(new Error(event.message));
			worker.onmessage = ({ data }: MessageEvent<{ result?: MachineResult; error?: string }>) =>
				data.result ? resolve(data.result) : reject(new Error(data.error));
			worker.postMessage({ core, kernel, disk, harts, jit });
		});
	} finally {
		worker.terminate();
	}
}

async function treeFiles(): Promise<(readonly [string, Uint8Array])[]> {
	const paths = JSON.parse(new TextDecoder().decode(await get("/tree.json"))) as string[];
	return Promise.all(paths.map(async (path) => [path, await get(`/tree/${path}`)] as const));
}

const start = () => startWebEngine((path) => get(`/${path}`));

async function debug(): Promise<readonly string[]> {
	return runDebugSessions(start(), await treeFiles());
}

async function recording(): Promise<readonly [boolean, number, string]> {
	return runRecording(start(), await get("/image/echo.run"));
}

async function engine(test: string): Promise<EngineResult> {
	return runEngine(start(), await treeFiles(), test);
}

Object.assign(window, { xv6Lab: { machine, engine, debug, recording } });
