import { concat, utf8 } from "../common/bytes.ts";
import type { CompileOutcome } from "./bundled/compiler.ts";
import type { ObjectCache } from "./cache.ts";
import { jobClosure } from "./includes.ts";
import type { CompileJob, CompileResult, JobFiles, LinkJob, LinkResult } from "./types.ts";

/** SHA-256 over the compiler, the job, and the content of every file that it may read. */
export function compileKey(version: string, job: CompileJob, inputs: ReadonlyMap<string, Uint8Array>): Promise<string> {
	const files = [...inputs].sort(([a], [b]) => (a < b ? -1 : 1));
	return keyOf([version, job.kind, job.source, job.flags, job.target], files);
}

/** SHA-256 over the linker, the job, and the content of every object and of the script. */
function linkKey(version: string, job: LinkJob): Promise<string> {
	const files = job.objects.map(({ path, bytes }) => [path, bytes] as const);
	const script = job.script ? [[job.script.path, utf8(job.script.text)] as const] : [];
	return keyOf(["link", version, job.flags, job.output, job.target, files.length], [...files, ...script]);
}

async function keyOf(head: unknown, files: readonly (readonly [string, Uint8Array])[]): Promise<string> {
	const parts: Uint8Array[] = [utf8(JSON.stringify(head))];
	for (const [path, bytes] of files) parts.push(utf8(`\0${path}\0${bytes.length}\0`), bytes);
	const digest = await crypto.subtle.digest("SHA-256", concat(parts) as BufferSource);
	return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compiles what the cache does not have. Failed compilations are not kept: their messages may depend on more. */
export async function compileCached(
	cache: ObjectCache,
	version: string,
	job: CompileJob,
	files: JobFiles,
	compile: (inputs: ReadonlyMap<string, Uint8Array>) => Promise<CompileOutcome & { readonly cpuMs: number }>,
): Promise<CompileResult> {
	const inputs = jobClosure(job, files);
	const key = await compileKey(version, job, inputs);
	const known = await cache.get(key);
	if (known) return { ...known, cpuMs: 0, cached: true };
	const { cpuMs, ...outcome } = await compile(inputs);
	if (outcome.object) await cache.put(key, outcome);
	return { ...outcome, cpuMs, cached: false };
}

/** Links what the cache does not have, so that a tree that was built before needs no tool at all. */
export async function linkCached(
	cache: ObjectCache,
	version: string,
	job: LinkJob,
	link: () => Promise<LinkResult>,
): Promise<LinkResult> {
	const key = await linkKey(version, job);
	const known = await cache.get(key);
	if (known?.object) {
		return { image: known.object, diagnostics: known.diagnostics, text: known.text, cached: true };
	}
	const result = await link();
	const { image, diagnostics, text } = result;
	if (image) await cache.put(key, { object: image, diagnostics, text, includes: [] });
	return result;
}
