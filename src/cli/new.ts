import { UserError } from "../common/errors.ts";
import { writeNewFolder } from "../env/node/newFolder.ts";
import { openCatalog } from "./assets.ts";
import { newCommand, parseCommand } from "./commandLine.ts";
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
	await writeNewFolder(folder, files);
	const lab = values.lab ? ` with lab ${values.lab}` : "";
	process.stdout.write(`Made ${folder}${lab} (${files.size} files). Next: xv6-lab test --dir ${folder}\n`);
	return exitCodes.done;
}

function parse(argv: string[]) {
	const parsed = parseCommand(argv, "new", newCommand);
	if (parsed.values.list && parsed.positionals.length === 0) parsed.positionals.push(".");
	return parsed;
}
