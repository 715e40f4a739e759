import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../common/errors.ts";
import { openCatalog } from "./assets.ts";
import { exitCodes } from "./exitCodes.ts";

/** `xv6-lab new DIR [--lab ID]`: a workspace from the bundled kernel, never over an existing file. */
export async function runNew(argv: string[]): Promise<number> {
	const { values, positionals } = parse(argv);
	const folder = positionals[0];
	if (!folder || positionals.length > 1) {
		throw new UserError("usage", "`new` takes one folder", "Write: xv6-lab new DIR [--lab ID].");
	}
	const catalog = openCatalog();
	if (values.list) {
		for (const id of await catalog.ids()) process.stdout.write(`${id}  ${(await catalog.manifest(id)).title}\n`);
		return exitCodes.done;
	}
	const files = await catalog.workspace(values.lab, values.solution);
	await writeNew(folder, files);
	const lab = values.lab ? ` with lab ${values.lab}` : "";
	process.stdout.write(`Made ${folder}${lab} (${files.size} files). Next: xv6-lab test --dir ${folder}\n`);
	return exitCodes.done;
}

function parse(argv: string[]) {
	const options = { lab: { type: "string" }, solution: { type: "string" }, list: { type: "boolean" } } as const;
	try {
		const parsed = parseArgs({ args: argv, allowPositionals: true, options });
		if (parsed.values.list && parsed.positionals.length === 0) parsed.positionals.push(".");
		return parsed;
	} catch (error) {
		throw new UserError("usage", (error as Error).message, "Write: xv6-lab new DIR [--lab ID].");
	}
}

/** Writes all files or none: what was written before a failure is taken back, what was there before is never touched. */
async function writeNew(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
	const taken = [...files.keys()].find((path) => existsSync(join(folder, path)));
	if (taken !== undefined) {
		throw new UserError(
			"already-exists",
			`${join(folder, taken)} is there already`,
			"Nothing was written. Choose an empty or new folder.",
		);
	}
	const fresh = !existsSync(folder);
	const written: string[] = [];
	try {
		for (const [path, bytes] of files) {
			const target = join(folder, path);
			await mkdir(dirname(target), { recursive: true });
			await writeFile(target, bytes, { flag: "wx" });
			written.push(target);
		}
	} catch (error) {
		for (const target of written) await rm(target, { force: true });
		if (fresh) await rm(folder, { recursive: true, force: true });
		throw new UserError(
			"file-unwritable",
			`Cannot write to ${folder}: ${(error as Error).message}`,
			"Nothing was left behind. Choose a folder that you may write to.",
		);
	}
}
