import { asTooLong } from "../common/tooLong.ts";
import { type Port, serve } from "../protocol/rpc.ts";
import { BundledCompiler } from "../toolchain/bundled/compiler.ts";
import type { BundledModules } from "../toolchain/bundled/llvm.ts";
import type { CompilerRequests } from "../toolchain/bundled/pool.ts";
import { runWasiProgram } from "../toolchain/bundled/wasiProgram.ts";

/**
 * Answers a pool's jobs one at a time. A message `{ modules }` brings the compiler's programs; jobs that need them wait for it.
 * `cpuMs` is this thread's own time, which on a busy machine is less than wall time.
 */
export function serveCompiler(port: Port, cpuMs: () => number): void {
	const compiler = new Promise<BundledCompiler>((resolve) => {
		const subscription = port.onMessage((message) => {
			const { modules } = message as { readonly modules?: BundledModules };
			if (!modules) return;
			subscription.dispose();
			resolve(new BundledCompiler(modules));
		});
	});
	let last: Promise<unknown> = Promise.resolve();
	const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
		const run = last.then(work);
		last = run.catch(() => undefined);
		return run;
	};
	serve<CompilerRequests>(port, {
		compile: ({ job, inputs }) =>
			inTurn(async () => {
				const own = await compiler;
				const before = cpuMs();
				const outcome = await reading(job.source, () => own.compile(job, inputs));
				return { ...outcome, cpuMs: cpuMs() - before };
			}),
		link: (job) =>
			inTurn(async () => {
				const own = await compiler;
				return reading(job.script?.path ?? job.objects[0]?.path ?? "", () => own.link(job));
			}),
		runWasi: (run) => inTurn(() => runWasiProgram(run)),
	});
}

async function reading<T>(file: string, read: () => T | Promise<T>): Promise<T> {
	try {
		return await read();
	} catch (error) {
		throw asTooLong(error, { file });
	}
}
