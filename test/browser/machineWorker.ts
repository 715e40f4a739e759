import { type MachineJob, runMachine } from "./scenarios.ts";

// A browser's worker that runs one machine and answers with its result, or with its failure.
self.addEventListener("message", ({ data }: MessageEvent<MachineJob>) => {
	runMachine(data).then(
		(result) => self.postMessage({ result }),
		(error: Error) => self.postMessage({ error: error.stack ?? String(error) }),
	);
});
