import { serveGrade } from "./gradeWorker.ts";

serveGrade(
	(message) => self.postMessage(message),
	(listener) => self.addEventListener("message", ({ data }: MessageEvent) => listener(data)),
	() => performance.now(),
);
