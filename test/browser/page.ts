import { startWebEngine } from "../../src/env/web/engineWorker.ts";
import { type EngineResult, type MachineJob, type MachineResult, runEngine } from "./scenarios.ts";

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

async function engine(test: string): Promise<EngineResult> {
	const paths = JSON.parse(new TextDecoder().decode(await get("/tree.json"))) as string[];
	const files = await Promise.all(paths.map(async (path) => [path, await get(`/tree/${path}`)] as const));
	return runEngine(
		startWebEngine((path) => get(`/${path}`)),
		files,
		test,
	);
}

Object.assign(window, { xv6Lab: { machine, engine } });
