import { beforeEach, describe, expect, test, vi } from "vitest";
import { ContextKeys } from "../../../src/extension/contextKeys.ts";
import type { LabFolder } from "../../../src/extension/labFolder.ts";
import { newWorkspace, showFirstSteps } from "../../../src/extension/newWorkspace.ts";
import { ExtensionWindow, until } from "../../support/extensionWindow.ts";
import { catalog } from "../../support/lab.ts";
import { ScriptedEngine } from "../../support/scriptedEngine.ts";
import { host, Uri, workspace } from "../../support/vscode.ts";

/** *New Lab Workspace…* from its first question to the first look at what it made, with the real labs. */

const home = Uri.file("/home/me");
const storage = Uri.file("/storage") as never;
const lab = "hw5-anonymous-mmap";
const title = (await catalog.about(lab)).title;
const marker = Uri.joinPath(storage as never, "opened-next");

/** Commits of a git extension that is switched on. */
const commits: string[] = [];
const git = (commit = async (message: string) => void commits.push(message)) => ({
	getAPI: () => ({
		init: async (root: Uri) => {
			commits.push(`init ${root.path}`);
			return { commit };
		},
	}),
});

beforeEach(() => {
	host.reset();
	commits.length = 0;
});

/** The person answers; where to comes from the dialog. */
async function make(answers: readonly (string | undefined)[], parent: Uri | undefined = home): Promise<void> {
	host.answers.push(...answers);
	host.dialogs.push(parent);
	await newWorkspace(catalog, new ContextKeys(), storage);
}
const written = () => [...host.files.keys()].filter((uri) => uri.startsWith(home.toString()));
const opened = () => host.asked.find(({ id }) => id === "vscode.openFolder")?.args;

test("a lab, a name and a place: the files are there, git has them as they were handed out, and the folder opens", async () => {
	host.exported.set("vscode.git", git());
	const making: unknown[] = [];
	const write = workspace.fs.writeFile;
	const writes = vi.spyOn(workspace.fs, "writeFile").mockImplementation(async (uri, bytes) => {
		making.push(host.contexts.get("xv6Lab.makingWorkspace"));
		await write(uri, bytes);
	});
	await make([title, "mine", "Yes"]);
	writes.mockRestore();
	expect(making[0], "so long no second one can be begun").toBe(true);
	expect(host.questions.map((question) => question.title)).toEqual([
		...["Which lab?", "Name of the new workspace", "Put the workspace under git?"],
	]);
	expect(host.questions[0]?.choices.at(-1)).toBe("Only the kernel");
	expect(host.questions[1]?.choices, "a name is proposed").toEqual(["hw5"]);
	expect(host.shownDialogs).toEqual([
		{
			...{ canSelectFiles: false, canSelectFolders: true, canSelectMany: false },
			...{ openLabel: "Create mine Here", title: "Where should mine be created?" },
		},
	]);
	const files = await catalog.workspace(lab);
	expect(written()).toHaveLength(files.size);
	const main = new TextDecoder().decode(files.get("kernel/main.c"));
	expect(host.text(Uri.file("/home/me/mine/kernel/main.c"))).toBe(main);
	expect(commits).toEqual(["init /home/me/mine", "The lab as it was handed out"]);
	expect(host.text(marker)).toBe("file:///home/me/mine");
	expect(opened()).toEqual([Uri.file("/home/me/mine"), { forceNewWindow: false }]);
	expect(host.said, "an empty window asks nothing").toEqual([]);
	expect(host.contexts.get("xv6Lab.makingWorkspace")).toBe(false);
	expect(host.works.map((work) => work.title)).toEqual(["xv6: making the workspace"]);
	const steps = host.works[0]?.reports as { readonly increment: number }[];
	expect(steps.reduce((sum, { increment }) => sum + increment, 0)).toBeCloseTo(100);
});

test("only the kernel, with the name that is proposed", async () => {
	await make(["Only the kernel", ""]);
	expect(host.questions.at(-1)?.choices).toEqual(["xv6"]);
	expect(host.text(Uri.file("/home/me/xv6/kernel/main.c"))).toBeDefined();
	expect(host.text(Uri.file("/home/me/xv6/lab.json"))).toBeUndefined();
});

test.each(["my lab", "-x", "a/b", "ü", "$(x)"])(
	"a name that a shell would read as something else is refused: %s",
	async (name) => {
		await make(["Only the kernel", name, "✓ xxx"]);
		expect(host.questions.at(-1)?.refused).toEqual(["Use letters, digits, '.', '_' and '-'."]);
		expect(host.text(Uri.file("/home/me/xxx/Makefile")), "the button does what Enter does").toBeDefined();
	},
);

describe("going away from a question writes nothing", () => {
	test.each<[string, readonly (string | undefined)[], Uri | undefined]>([
		["the lab", [undefined], home],
		["the name", [title, undefined], home],
		["the place", [title, "mine"], undefined],
		["git", [title, "mine", undefined], home],
	])("%s", async (_question, answers, parent) => {
		host.exported.set("vscode.git", git());
		await make(answers, parent);
		expect([written(), opened(), host.contexts.size, host.files.has(marker.toString())]).toEqual([
			[],
			undefined,
			0,
			false,
		]);
	});
});

describe("git is no obstacle", () => {
	test("in Restricted Mode and without its extension nobody asks for it", async () => {
		await make([title, "mine"]);
		expect(opened()).toBeDefined();
		host.reset();
		host.exported.set("vscode.git", git());
		workspace.isTrusted = false;
		await make([title, "mine"]);
		expect([host.questions.length, commits, opened() !== undefined]).toEqual([2, [], true]);
	});

	test("no is no, and a git that is switched off is none", async () => {
		host.exported.set("vscode.git", git());
		await make([title, "mine", "No"]);
		expect(commits).toEqual([]);
		host.reset();
		const off = () => {
			throw new Error("git is disabled");
		};
		host.exported.set("vscode.git", { getAPI: off });
		await make([title, "mine"]);
		expect([host.questions.length, opened() !== undefined]).toEqual([2, true]);
	});

	test("one that does not know its user's name yet makes no commit, and the folder opens", async () => {
		host.exported.set(
			"vscode.git",
			git(async () => Promise.reject(new Error("Please tell me who you are"))),
		);
		await make([title, "mine", "Yes"]);
		expect([commits, opened() !== undefined]).toEqual([["init /home/me/mine"], true]);
	});
});

test.each<[string | undefined, boolean | undefined]>([
	["Open", false],
	["Open in New Window", true],
	[undefined, undefined],
])("in a window that has a folder the person decides: %s", async (choice, forceNewWindow) => {
	host.openFolder(Uri.file("/other"));
	await make(["Only the kernel", "mine", choice]);
	const { size } = await catalog.workspace(undefined);
	expect(host.said).toEqual([
		{
			kind: "information",
			text: `xv6: created /home/me/mine (${size} files).`,
			choices: ["Open", "Open in New Window"],
		},
	]);
	expect((opened()?.[1] as { forceNewWindow: boolean } | undefined)?.forceNewWindow).toBe(forceNewWindow);
});

describe("nothing is overwritten, and nothing is left behind", () => {
	test("a file that is there", async () => {
		host.write(Uri.file("/home/me/mine/Makefile"), "own");
		await expect(make(["Only the kernel", "mine"])).rejects.toMatchObject({
			code: "already-exists",
			message: "/home/me/mine/Makefile already exists",
		});
		expect([written().length, host.text(Uri.file("/home/me/mine/Makefile")), opened()]).toEqual([1, "own", undefined]);
		expect(host.contexts.get("xv6Lab.makingWorkspace")).toBe(false);
	});

	test.each<[string, () => void, object]>([
		["cancelled", () => host.works.at(-1)?.cancel(), { code: "cancelled", nextStep: "Nothing was left behind." }],
		[
			"a disk that is full",
			() => {
				throw new Error("ENOSPC");
			},
			{ code: "file-unwritable", message: "Cannot write to /home/me/mine: ENOSPC" },
		],
	])("%s", async (_name, atTheTenth, error) => {
		let count = 0;
		const write = vi.spyOn(workspace.fs, "writeFile").mockImplementation(async (uri, bytes) => {
			if (++count === 10) atTheTenth();
			host.write(uri, bytes);
		});
		await expect(make(["Only the kernel", "mine"])).rejects.toMatchObject(error);
		write.mockRestore();
		expect([count, written(), opened()]).toEqual([10, [], undefined]);
		expect(host.files.has(marker.toString())).toBe(false);
	});
});

test("another extension that gives lab and folder is asked nothing", async () => {
	const folder = Uri.file("/home/me/given");
	await newWorkspace(catalog, new ContextKeys(), storage, { lab, folder: folder as never });
	expect(written().length).toBe((await catalog.workspace(lab)).size);
	expect([host.questions, host.said, opened(), host.files.has(marker.toString())]).toEqual([[], [], undefined, false]);
});

describe("the first look at a new workspace", () => {
	const folderAt = (path: string, tree: object) => ({ root: Uri.file(path), tree }) as unknown as LabFolder;
	const steps = async (...folders: LabFolder[]) => {
		host.asked.length = 0;
		await showFirstSteps(folders, storage);
		return host.asked.map(({ id, args }) => [id, ...args.map((arg) => (arg as Uri).path)]);
	};

	test("the file where the first task begins, its handout beside it, and the progress; once", async () => {
		for (const path of ["kernel/sysproc.c", "kernel/main.c"]) host.write(Uri.file(`/home/me/mine/${path}`), "");
		host.write(marker, "file:///home/me/mine");
		const tasks = [{ id: "0" }, { id: "1", start: "kernel/sysproc.c" }];
		const mine = folderAt("/home/me/mine", { lab: { handout: "README.md", tasks } });
		expect(await steps(folderAt("/home/me/other", {}), mine)).toEqual([
			["markdown.showPreviewToSide", "/home/me/mine/README.md"],
			["workbench.action.focusFirstEditorGroup"],
			["xv6Lab.progress.focus"],
		]);
		expect(host.shown.map(({ document }) => document.uri.path)).toEqual(["/home/me/mine/kernel/sysproc.c"]);
		expect(await steps(mine)).toEqual([]);
	});

	test("comes when the window opens that was just made, and not for a window that was opened before", async () => {
		for (const sign of ["kernel/main.c", "kernel/proc.c", "Makefile"])
			host.write(Uri.file(`/home/me/mine/${sign}`), "");
		host.write(marker, "file:///home/me/mine");
		host.openFolder(Uri.file("/home/me/mine"));
		const tree = { isKernelTree: true, programs: [] };
		for (const shown of [1, 1]) {
			const window = new ExtensionWindow(() => new ScriptedEngine(tree, {}));
			await until("its tree", () => window.api.folders().length > 0, 5000);
			await new Promise((resolve) => setTimeout(resolve, 10));
			await window.close();
			expect(host.shown).toHaveLength(shown);
		}
	});

	test("of a kernel without a lab its main; of a folder that was there before nothing", async () => {
		host.write(Uri.file("/home/me/mine/kernel/main.c"), "");
		const mine = folderAt("/home/me/mine", {});
		expect(await steps(mine)).toEqual([]);
		host.write(marker, "file:///home/me/elsewhere");
		expect([await steps(mine), host.files.has(marker.toString())]).toEqual([[], true]);
		host.write(marker, "file:///home/me/mine");
		expect((await steps(mine)).map(([id]) => id)).not.toContain("markdown.showPreviewToSide");
		expect(host.shown.map(({ document }) => document.uri.path)).toEqual(["/home/me/mine/kernel/main.c"]);
	});
});
