import type { StartGradeWorker } from "../../grade/gradeRun.ts";
import type { GradeMessage } from "../../grade/types.ts";
import type { ReadProduct } from "./bundledToolchain.ts";

const script = "worker/gradeWorker.web.js";

/** Grade workers in a browser; the script is read once. */
export async function webGradeWorkers(read: ReadProduct): Promise<StartGradeWorker> {
	const url = URL.createObjectURL(new Blob([(await read(script)) as BlobPart], { type: "text/javascript" }));
	return () => {
		const worker = new Worker(url);
		return {
			post: (job) => worker.postMessage(job),
			onMessage: (listener) =>
				worker.addEventListener("message", ({ data }: MessageEvent<GradeMessage>) => listener(data)),
			onExit: (listener) =>
				worker.addEventListener("error", (event) => listener(event.message || "it could not be started")),
			terminate: () => worker.terminate(),
		};
	};
}
