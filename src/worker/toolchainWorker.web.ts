import { serveCompiler } from "./toolchainWorker.ts";

serveCompiler(
	{
		post: (message) => self.postMessage(message),
		onMessage: (listener) => {
			const handle = ({ data }: MessageEvent) => listener(data);
			self.addEventListener("message", handle);
			return { dispose: () => self.removeEventListener("message", handle) };
		},
	},
	() => performance.now(),
);
