import { chmod, cp, mkdir, readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { utf8 } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import { atomicWrite } from "../../env/node/atomicWrite.ts";
import { distFolder } from "../../env/node/dist.ts";
import { defaultPolicy, judgedTests, parsePolicy } from "../../grade/class/policy.ts";
import { runScript, setupScript } from "../../grade/class/report/autograder.ts";
import { openCatalog } from "../assets.ts";
import { exitCodes } from "../exitCodes.ts";
import { readText } from "../reportFile.ts";
import type { GradeValues } from "./values.ts";

/** Folders and files of the product that a judge needs. */
const needed = ["assets", "cli", "machine", "toolchain", "worker", "prebuilt.bin", "packages.json"];

/** `xv6-lab grade autograder DIR --lab ID`: what Gradescope wants as a zip, with this xv6-lab inside. */
export async function runAutograder(folders: readonly string[], values: GradeValues): Promise<number> {
	const [folder, more] = folders;
	if (folder === undefined || more !== undefined || values.lab === undefined) {
		throw new UserError(
			"usage",
			"Missing the folder, or --lab",
			"Write: xv6-lab grade autograder DIR --lab ID [--policy FILE].",
		);
	}
	if ((await readdir(folder).catch(() => [])).length > 0) {
		throw new UserError("already-exists", `${folder} is not empty`, "Name a new folder.");
	}
	const manifest = await openCatalog().manifest(values.lab);
	const policy =
		values.policy === undefined ? defaultPolicy : parsePolicy(await readText(values.policy), values.policy);
	judgedTests(manifest, policy);
	const dist = distFolder();
	await mkdir(folder, { recursive: true });
	for (const name of needed) {
		// A student who gets hold of the zip gets no solutions.
		const filter = (path: string) => !relative(dist, path).split(sep).includes("solution") && !path.endsWith(".map");
		await cp(join(dist, name), join(folder, "xv6-lab/dist", name), { recursive: true, filter }).catch((error) => {
			if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
		});
	}
	const text = (name: string, content: string) => ({ path: join(folder, name), bytes: utf8(content) });
	await atomicWrite([
		text("setup.sh", setupScript),
		text("run_autograder", runScript(manifest.id)),
		text("policy.json", `${JSON.stringify(policy, undefined, "\t")}\n`),
	]);
	for (const name of ["setup.sh", "run_autograder"]) await chmod(join(folder, name), 0o755);
	process.stderr.write(`xv6-lab: zip the contents of ${folder}, not the folder, and upload it to Gradescope\n`);
	return exitCodes.done;
}
