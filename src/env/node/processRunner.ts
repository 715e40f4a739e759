import { spawn } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { cancelled, UserError } from "../../common/errors.ts";
import { type ProcessRunner, scratchFolder } from "../../toolchain/host/processRunner.ts";

/** Output beyond this is cut: a compiler that loops must not fill the memory. */
const maxText = 4 * 1024 * 1024;

export const nodeProcessRunner: ProcessRunner = {
	parallelism: availableParallelism(),

	async find(program) {
		const names = isAbsolute(program)
			? [program]
			: (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, program));
		for (const name of names) {
			for (const suffix of process.platform === "win32" ? [".exe", ""] : [""]) {
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

async function makeScratch(): Promise<string> {
	try {
		// Compilers write down the name that the kernel gives them, without links.
		return await realpath(await mkdtemp(join(tmpdir(), "xv6-lab-cc-")));
	} catch (error) {
		throw noScratch(error as NodeJS.ErrnoException);
	}
}

function noScratch({ path, message }: NodeJS.ErrnoException): UserError {
	const next = "Make room there, or set TMPDIR to another folder.";
	return new UserError("file-unwritable", `Cannot write ${path ?? tmpdir()} for the compiler: ${message}`, next);
}

function execute(program: string, args: readonly string[], cwd: string, signal: AbortSignal | undefined) {
	return new Promise<{ exitCode: number; stdout: string; stderr: string; cpuMs: number }>((resolve, reject) => {
		const start = performance.now();
		const child = spawn(program, [...args], {
			cwd,
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, LC_ALL: "C" },
		});
		const texts = { stdout: "", stderr: "" };
		for (const name of ["stdout", "stderr"] as const) {
			child[name].setEncoding("utf8").on("data", (text: string) => {
				if (texts[name].length < maxText) texts[name] += text;
			});
		}
		const kill = () => child.kill("SIGKILL");
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
