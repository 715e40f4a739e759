import { type ChildProcess, spawn } from "node:child_process";
import {
	access,
	constants,
	lstat,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	realpath,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { basename, delimiter, dirname, isAbsolute, join } from "node:path";
import { cancelled, UserError } from "../../common/errors.ts";
import { inBytes, limits } from "../../common/limits.ts";
import { type ProcessRunner, scratchFolder } from "../../toolchain/host/processRunner.ts";
import { isAlive } from "./isAlive.ts";
import { findSandbox, shutIn } from "./sandbox.ts";
import { unwritable } from "./unwritable.ts";

const isWindows = process.platform === "win32";

export const nodeProcessRunner: ProcessRunner = {
	parallelism: availableParallelism(),
	sandbox: () => findSandbox(findProgram),
	find: findProgram,

	async run(program, args, files, outputs, { signal, sandboxed = false } = {}) {
		if (signal?.aborted) throw cancelled();
		const folder = await makeScratch();
		try {
			for (const [path, bytes] of files) {
				await mkdir(dirname(join(folder, path)), { recursive: true });
				await writeFile(join(folder, path), bytes);
			}
			const placed = args.map((arg) => arg.replaceAll(scratchFolder, folder));
			const call = sandboxed ? await shutIn(program, placed, folder, findProgram) : [program, ...placed];
			const result = await execute(call, folder, basename(program), signal);
			const found = new Map<string, Uint8Array>();
			for (const path of outputs) {
				const bytes = await readOutput(join(folder, path), path, basename(program));
				if (bytes) found.set(path, bytes);
			}
			return { ...result, files: found };
		} catch (error) {
			throw error instanceof UserError ? error : noScratch(error as NodeJS.ErrnoException);
		} finally {
			await rm(folder, { recursive: true, force: true });
		}
	},
};

/** Folders of PATH that are whole paths: an empty or relative one is the folder where the user stands, which may be a stranger's tree. */
function searchPath(): string[] {
	return (process.env.PATH ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
}

async function findProgram(program: string): Promise<string | undefined> {
	const names = isAbsolute(program) ? [program] : searchPath().map((folder) => join(folder, program));
	for (const name of names) {
		for (const suffix of isWindows ? [".exe", ""] : [""]) {
			const found = await access(name + suffix, constants.X_OK).then(
				() => true,
				() => false,
			);
			if (found) return name + suffix;
		}
	}
	return undefined;
}

async function readOutput(path: string, name: string, program: string): Promise<Uint8Array | undefined> {
	const info = await lstat(path).catch(() => undefined);
	if (!info?.isFile()) return undefined;
	if (info.size <= limits.outputBytes) return new Uint8Array(await readFile(path));
	throw overLimit(
		`${program} wrote a file of ${inBytes(info.size)} (${name}), and it may have ${inBytes(limits.outputBytes)}`,
	);
}

function overLimit(message: string): UserError {
	const next = "Look for an array or a macro that is far bigger than you meant.";
	return new UserError("limit-reached", message, next);
}

const scratchName = "xv6-lab-cc-";
/** No compilation takes so long. A clock may jump, and a container sees no processes outside: age and number both have to say so. */
const abandonedMs = 60 * 60 * 1000;
let swept: Promise<void> | undefined;

/** Takes away what killed processes have left, once in a process. */
async function sweep(): Promise<void> {
	for (const name of await readdir(tmpdir()).catch(() => [])) {
		if (!name.startsWith(scratchName)) continue;
		const path = join(tmpdir(), name);
		const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
		const pid = Number(/^(\d+)-/.exec(name.slice(scratchName.length))?.[1] ?? 0);
		if (age <= abandonedMs || (pid > 0 && isAlive(pid))) continue;
		// Another user's, perhaps.
		await rm(path, { recursive: true, force: true }).catch(() => undefined);
	}
}

async function makeScratch(): Promise<string> {
	swept ??= sweep();
	await swept;
	try {
		// Compilers write down the name that the kernel gives them, without links.
		return await realpath(await mkdtemp(join(tmpdir(), `${scratchName}${process.pid}-`)));
	} catch (error) {
		throw noScratch(error as NodeJS.ErrnoException);
	}
}

function noScratch(error: NodeJS.ErrnoException): UserError {
	return unwritable(error.path ?? tmpdir(), error, "The compiler needs it.", "set TMPDIR to another folder");
}

/** Ends a program with all that it has started. */
function killAll(child: ChildProcess): void {
	if (child.pid === undefined) return;
	if (isWindows) {
		spawn("taskkill", ["/pid", String(child.pid), "/T", "/F"], { stdio: "ignore" }).on("error", () => child.kill());
		return;
	}
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		// It has ended by itself.
	}
}

/** What a compiler needs to know of the user's environment: the rest is none of its business. */
function environment(folder: string): NodeJS.ProcessEnv {
	const own = { LC_ALL: "C", TMPDIR: folder };
	if (isWindows) {
		const { GCC_EXEC_PREFIX: _a, COMPILER_PATH: _b, CPATH: _c, C_INCLUDE_PATH: _d, ...rest } = process.env;
		return { ...rest, ...own, TEMP: folder, TMP: folder };
	}
	const { LD_LIBRARY_PATH } = process.env;
	return { ...own, HOME: folder, PATH: searchPath().join(delimiter), ...(LD_LIBRARY_PATH ? { LD_LIBRARY_PATH } : {}) };
}

/** Limits of the system for all that a compiler starts (POSIX `ulimit`: seconds, blocks of 512 bytes, KiB). */
const limited = [
	`ulimit -c 0; ulimit -t ${Math.ceil(limits.compileMs / 1000)}; ulimit -f ${Math.ceil(limits.toolFilesBytes / 512)}`,
	`ulimit -v ${Math.ceil(limits.hostMemoryBytes / 1024)} 2>/dev/null`,
	'exec "$@"',
].join("; ");

/** Work is what is limited; one that only waits is ended after some times as long. */
const longestWait = 5 * limits.compileMs;

/** How gcc, clang and the system tell of a limit. */
const reached: readonly (readonly [RegExp, string])[] = [
	[/CPU time limit exceeded|Killed signal terminated/, `took more than ${limits.compileMs / 1000} s`],
	[
		/memory exhausted|out of memory|LLVM ERROR: out of memory|bad_alloc/i,
		`needs more than ${inBytes(limits.hostMemoryBytes)} of memory`,
	],
	[/File size limit exceeded|File too large/, `wrote more than ${inBytes(limits.toolFilesBytes)}`],
];

interface Ended {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
	readonly cpuMs: number;
}

function execute(call: readonly string[], cwd: string, name: string, signal: AbortSignal | undefined): Promise<Ended> {
	return new Promise((resolve, reject) => {
		const start = performance.now();
		const [program = "", ...args] = isWindows ? call : ["/bin/sh", "-c", limited, "sh", ...call];
		const child = spawn(program, args, {
			cwd,
			stdio: ["ignore", "pipe", "pipe"],
			env: environment(cwd),
			// A group of its own: gcc is a driver, and killing it alone leaves its compiler at work.
			detached: !isWindows,
		});
		const kill = () => killAll(child);
		let tooMuch: string | undefined;
		const stop = (why: string) => {
			tooMuch ??= why;
			kill();
		};
		const texts = { stdout: "", stderr: "" };
		for (const stream of ["stdout", "stderr"] as const) {
			child[stream].setEncoding("utf8").on("data", (text: string) => {
				if (texts[stream].length < limits.toolTextBytes) texts[stream] += text;
				else stop(`printed more than ${inBytes(limits.toolTextBytes)}`);
			});
		}
		const timer = setTimeout(() => stop(`was not done after ${longestWait / 1000} s`), longestWait);
		signal?.addEventListener("abort", kill, { once: true });
		child.on("error", (error) => {
			clearTimeout(timer);
			reject(new UserError("toolchain-broken", `${name}: ${error.message}`, "Use the bundled toolchain."));
		});
		child.on("close", (code, killedBy) => {
			clearTimeout(timer);
			signal?.removeEventListener("abort", kill);
			if (signal?.aborted) return reject(cancelled());
			const bySystem =
				killedBy === "SIGXCPU" || killedBy === "SIGXFSZ" || killedBy === "SIGKILL" ? killedBy : undefined;
			const told = code === 0 ? undefined : reached.find(([words]) => words.test(texts.stderr))?.[1];
			const why = tooMuch ?? told ?? (bySystem && `was ended by the system (${bySystem})`);
			if (why) return reject(overLimit(`${name} ${why}`));
			resolve({ exitCode: code ?? 1, ...texts, cpuMs: performance.now() - start });
		});
	});
}
