import { type ChildProcess, spawn } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { cancelled, UserError } from "../../common/errors.ts";
import { type ProcessRunner, scratchFolder } from "../../toolchain/host/processRunner.ts";

/** Output beyond this is cut: a compiler that loops must not fill the memory. */
const maxText = 4 * 1024 * 1024;

const isWindows = process.platform === "win32";

export const nodeProcessRunner: ProcessRunner = {
	parallelism: availableParallelism(),

	async find(program) {
		const names = isAbsolute(program)
			? [program]
			: (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, program));
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
	},

	async run(program, args, files, outputs, signal) {
		if (signal?.aborted) throw cancelled();
		const folder = await makeScratch();
		try {
			for (const [path, bytes] of files) {
				await mkdir(dirname(join(folder, path)), { recursive: true });
				await writeFile(join(folder, path), bytes);
			}
			const placed = args.map((arg) => arg.replaceAll(scratchFolder, folder));
			const result = await execute(program, placed, folder, signal);
			const found = new Map<string, Uint8Array>();
			for (const path of outputs) {
				const bytes = await readFile(join(folder, path)).catch(() => undefined);
				if (bytes) found.set(path, new Uint8Array(bytes));
			}
			return { ...result, files: found };
		} catch (error) {
			throw error instanceof UserError ? error : noScratch(error as NodeJS.ErrnoException);
		} finally {
			await rm(folder, { recursive: true, force: true });
		}
	},
};

const scratchName = "xv6-lab-cc-";
/** No compilation takes so long: a scratch folder of this age belongs to a process that was killed. */
const abandonedMs = 60 * 60 * 1000;
let swept: Promise<void> | undefined;

/** Takes away what killed processes have left, once in a process. */
async function sweep(): Promise<void> {
	for (const name of await readdir(tmpdir()).catch(() => [])) {
		if (!name.startsWith(scratchName)) continue;
		const path = join(tmpdir(), name);
		const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
		// Another user's, perhaps.
		if (age > abandonedMs) await rm(path, { recursive: true, force: true }).catch(() => undefined);
	}
}

async function makeScratch(): Promise<string> {
	swept ??= sweep();
	await swept;
	try {
		// Compilers write down the name that the kernel gives them, without links.
		return await realpath(await mkdtemp(join(tmpdir(), scratchName)));
	} catch (error) {
		throw noScratch(error as NodeJS.ErrnoException);
	}
}

function noScratch({ path, message }: NodeJS.ErrnoException): UserError {
	const next = "Make room there, or set TMPDIR to another folder.";
	return new UserError("file-unwritable", `Cannot write ${path ?? tmpdir()} for the compiler: ${message}`, next);
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

function execute(program: string, args: readonly string[], cwd: string, signal: AbortSignal | undefined) {
	return new Promise<{ exitCode: number; stdout: string; stderr: string; cpuMs: number }>((resolve, reject) => {
		const start = performance.now();
		const child = spawn(program, [...args], {
			cwd,
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, LC_ALL: "C" },
			// A group of its own: gcc is a driver, and whoever kills it alone leaves its compiler at work.
			detached: !isWindows,
		});
		const texts = { stdout: "", stderr: "" };
		for (const name of ["stdout", "stderr"] as const) {
			child[name].setEncoding("utf8").on("data", (text: string) => {
				if (texts[name].length < maxText) texts[name] += text;
			});
		}
		const kill = () => killAll(child);
		signal?.addEventListener("abort", kill, { once: true });
		child.on("error", (error) =>
			reject(new UserError("toolchain-broken", `${program}: ${error.message}`, "Use the bundled toolchain.")),
		);
		child.on("close", (code) => {
			signal?.removeEventListener("abort", kill);
			if (signal?.aborted) reject(cancelled());
			else resolve({ exitCode: code ?? 1, ...texts, cpuMs: performance.now() - start });
		});
	});
}
