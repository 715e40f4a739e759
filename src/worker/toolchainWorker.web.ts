import type { BundledModules } from "../toolchain/bundled/llvm.ts";
import { serveCompiler } from "./toolchainWorker.ts";

/** The first message holds the modules; all others are requests. */
const modules = new Promise<BundledModules>((resolve) => {
	self.addEventListener("message", ({ data }: MessageEvent<{ modules?: BundledModules }>) => {
		if (data.modules) resolve(data.modules);
	});
});

serveCompiler(
	{
		post: (message) => self.postMessage(message),
		onMessage: (listener) => {
			const handle = ({ data }: MessageEvent) => {
				if (data.modules === undefined) listener(data);
			};
			self.addEventListener("message", handle);
			return { dispose: () => self.removeEventListener("message", handle) };
		},
	},
	modules,
	() => performance.now(),
);
