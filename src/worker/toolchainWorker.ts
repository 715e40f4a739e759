import { type Port, serve } from "../protocol/rpc.ts";
import { BundledCompiler } from "../toolchain/bundled/compiler.ts";
import type { BundledModules } from "../toolchain/bundled/llvm.ts";
import type { CompilerRequests } from "../toolchain/bundled/pool.ts";

/** Answers a pool's jobs one at a time. `cpuMs` is this thread's own time, which on a busy machine is less than wall time. */
export function serveCompiler(port: Port, modules: Promise<BundledModules>, cpuMs: () => number): void {
	const compiler = modules.then((loaded) => new BundledCompiler(loaded));
	let last: Promise<unknown> = Promise.resolve();
	const inTurn = <T>(work: (compiler: BundledCompiler) => Promise<T> | T): Promise<T> => {
		const run = last.then(async () => work(await compiler));
		last = run.catch(() => undefined);
		return run;
	};
	serve<CompilerRequests>(port, {
		compile: ({ job, inputs }) =>
			inTurn(async (own) => {
				const before = cpuMs();
				const outcome = await own.compile(job, inputs);
				return { ...outcome, cpuMs: cpuMs() - before };
			}),
		link: (job) => inTurn((own) => own.link(job)),
		runWasi: (run) => inTurn((own) => own.runWasi(run)),
	});
}
