import * as v from "valibot";
import { fromUtf8, utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import { changedPrograms, type JudgedTree, judgedTree } from "./judgedTree.ts";
import { type KnownProgram, knownProgramSchema, parseKnownPrograms } from "./knownPrograms.ts";
import { type LabManifest, manifestSchema, parseManifest } from "./manifest.ts";
import { applyPatch } from "./patch.ts";
import { type Recognised, recognise } from "./recognise.ts";

/** Names the lab of a workspace; `xv6-lab new` writes it, a course may write its own. */
const workspaceFile = ".xv6-lab.json";
/** What `make` leaves in a tree; git must not see it. */
const ignored = `*.o
*.d
*.asm
*.sym
fs.img
mkfs/mkfs
kernel/kernel
user/_*
user/usys.S
user/initcode
user/initcode.out
compile_commands.json
.cache/
`;

/** The handout in a workspace that we made. */
export const handoutFile = "HANDOUT.md";
/** A course's own lab, in the root of its tree. */
export const ownManifest = "lab.json";

const workspaceSchema = v.object({
	lab: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/))),
	/** Programs of this tree that say themselves whether they passed. */
	programs: v.optional(v.array(knownProgramSchema)),
});
type Workspace = v.InferOutput<typeof workspaceSchema>;

const aboutSchema = v.pick(manifestSchema, ["id", "title", "course", "handout"]);
type LabAbout = v.InferOutput<typeof aboutSchema>;

/** The kernel and the labs that ship: folders `xv6/` and `labs/<id>/` of one tree. */
export class LabCatalog {
	constructor(private readonly assets: SourceTree) {}

	async ids(): Promise<string[]> {
		const folders = (await this.assets.list("labs")).filter((entry) => entry.kind === "folder");
		return folders.map((entry) => entry.name);
	}

	async manifest(id: string): Promise<LabManifest> {
		const [path, text] = await this.manifestText(id);
		return parseManifest(text, path);
	}

	/** What a list of labs says of one: to check a whole manifest, with its patterns, takes longer than an editor may wait. */
	async about(id: string): Promise<LabAbout> {
		const [, text] = await this.manifestText(id);
		return v.parse(aboutSchema, JSON.parse(text));
	}

	private async manifestText(id: string): Promise<readonly [path: string, text: string]> {
		const path = `labs/${id}/lab.json`;
		const bytes = (await this.ids()).includes(id) ? await this.assets.read(path) : undefined;
		if (bytes) return [path, fromUtf8(bytes)];
		const known = (await this.ids()).join(", ");
		throw new UserError("lab-not-found", `There is no lab '${id}'`, `The labs that ship are: ${known}.`);
	}

	/**
	 * Files of a fresh workspace by path: the bundled kernel, the lab's programs, its starter over them, the handout.
	 * `solution` lays the reference solutions over that, one step after the other up to the one named (tests and
	 * instructors; not part of the .vsix).
	 */
	async workspace(id: string | undefined, solution?: string): Promise<Map<string, Uint8Array>> {
		let files = new Map<string, Uint8Array>();
		await this.overlay(files, "xv6", "");
		files.set(".gitignore", utf8(ignored));
		if (id === undefined) return files;
		const { handout: handoutPath } = await this.about(id);
		await this.overlay(files, `labs/${id}/programs`, "user/");
		files = (await this.layer(files, `labs/${id}/starter`)) ?? files;
		const steps = solution === undefined ? [] : solutionSteps(await this.manifest(id), solution);
		for (const step of steps) {
			const solved = await this.layer(files, `labs/${id}/solution/${step}`);
			if (!solved) {
				throw new UserError("lab-not-found", `Lab ${id} has no solution '${step}'`, "See labs/<id>/solution.");
			}
			files = solved;
		}
		const handout = await this.assets.read(`labs/${id}/${handoutPath}`);
		if (handout) files.set(handoutFile, handout);
		await this.overlay(files, `labs/${id}/pictures`, "pictures/");
		files.set(workspaceFile, utf8(`${JSON.stringify({ lab: id }, undefined, "\t")}\n`));
		return files;
	}

	/**
	 * The lab of a tree and why: what its workspace file names, else what its files are evidence of. `own`: a `lab.json` in its root counts
	 * before both. In the editor it does; who judges somebody else's tree names the manifest.
	 */
	async labOf(tree: SourceTree, own: boolean): Promise<Recognised> {
		const manifest = own ? await tree.read(ownManifest) : undefined;
		if (manifest) {
			const parsed = parseManifest(fromUtf8(manifest), ownManifest);
			return { manifest: parsed, why: `${parsed.title}, from ${ownManifest} of this tree` };
		}
		const named = await this.namedIn(tree);
		if (named !== undefined) {
			const lab = await this.manifest(named);
			return { manifest: lab, why: `${lab.title}, named by ${workspaceFile}` };
		}
		const manifests = await Promise.all((await this.ids()).map((id) => this.manifest(id)));
		return recognise(manifests, tree);
	}

	/** The lab that a tree's workspace file names. */
	async namedIn(tree: SourceTree): Promise<string | undefined> {
		return (await readWorkspace(tree))?.lab;
	}

	/** Programs that report by themselves: ours, and those that the tree's workspace file adds. */
	async knownPrograms(tree: SourceTree): Promise<readonly KnownProgram[]> {
		const path = "labs/known-programs.json";
		const bytes = await this.assets.read(path);
		const ours = bytes ? parseKnownPrograms(fromUtf8(bytes), path) : [];
		return [...ours, ...((await readWorkspace(tree))?.programs ?? [])];
	}

	/** By program: which files of the lab's differ in a tree; empty for a lab that does not ship. */
	async changedIn(manifest: LabManifest, tree: SourceTree): Promise<ReadonlyMap<string, readonly string[]>> {
		if (!(await this.ids()).includes(manifest.id)) return new Map();
		return changedPrograms(manifest, await this.workspace(manifest.id), tree);
	}

	/** How a student's tree is judged with the lab's own files. */
	async judged(manifest: LabManifest, tree: SourceTree): Promise<JudgedTree> {
		return judgedTree(manifest, await this.workspace(manifest.id), tree);
	}

	/** One layer over `files`: what `from.patch` changes, and the new files in the folder `from`; undefined: there is neither. */
	private async layer(files: Map<string, Uint8Array>, from: string): Promise<Map<string, Uint8Array> | undefined> {
		const patch = await this.assets.read(`${from}.patch`);
		const result = patch ? applyPatch(files, fromUtf8(patch), `${from}.patch`) : new Map(files);
		const whole = await this.overlay(result, from, "");
		return patch || whole > 0 ? result : undefined;
	}

	private async overlay(files: Map<string, Uint8Array>, from: string, to: string): Promise<number> {
		let count = 0;
		for (const entry of await this.assets.list(from)) {
			const path = `${from}/${entry.name}`;
			if (entry.kind === "folder") {
				count += await this.overlay(files, path, `${to}${entry.name}/`);
				continue;
			}
			const bytes = await this.assets.read(path);
			if (!bytes) continue;
			files.set(`${to}${entry.name}`, bytes);
			count++;
		}
		return count;
	}
}

/** The steps up to `last`, in the order of the tasks; a step holds only what it changes. */
function solutionSteps(manifest: LabManifest, last: string): string[] {
	const steps = [...new Set(manifest.tasks.flatMap((task) => task.solution ?? []))];
	return steps.includes(last) ? steps.slice(0, steps.indexOf(last) + 1) : [last];
}

async function readWorkspace(tree: SourceTree): Promise<Workspace | undefined> {
	const bytes = await tree.read(workspaceFile);
	return bytes && parseWorkspaceFile(fromUtf8(bytes));
}

function parseWorkspaceFile(text: string): Workspace {
	try {
		const workspace = v.parse(workspaceSchema, JSON.parse(text));
		if (workspace.lab === undefined && workspace.programs === undefined) throw new Error("neither");
		return workspace;
	} catch {
		const position = { file: workspaceFile };
		throw new UserError(
			"workspace-settings-invalid",
			"This file names neither a lab nor programs, or not as it should",
			'Write {"lab": "ID"}; docs/lab-authoring.md describes programs.',
			position,
		);
	}
}
