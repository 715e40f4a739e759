import { beforeEach, describe, expect, test, vi } from "vitest";
import { TreeMirror } from "../../../src/extension/mirror.ts";
import { WorkspaceTree } from "../../../src/extension/workspaceTree.ts";
import { FileSystemError, host, Uri, workspace } from "../../support/vscode.ts";

/** Files of the workspace on their way to the engine. */

const root = Uri.file("/tree") as never as ConstructorParameters<typeof TreeMirror>[0];
const at = (path: string) => Uri.joinPath(root as never, path);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

beforeEach(() => host.reset());

describe("the engine's copy of a folder", () => {
	const changes = async (mirror: TreeMirror) => {
		const { changed, removed } = await mirror.changes();
		return { changed: changed.map(({ path, bytes }) => `${path} ${text(bytes)}`), removed };
	};

	test("all of it at first, then what changed, by name; what is gone is said", async () => {
		host.write(at("Makefile"), "all:");
		host.write(at("kernel/main.c"), "int");
		const mirror = new TreeMirror(root);
		expect(await changes(mirror)).toEqual({ changed: ["Makefile all:", "kernel/main.c int"], removed: [] });
		expect(await changes(mirror)).toEqual({ changed: [], removed: [] });
		host.write(at("kernel/main.c"), "long");
		host.write(at("user/a.c"), "a");
		expect(await changes(mirror)).toEqual({ changed: ["kernel/main.c long", "user/a.c a"], removed: [] });
		host.remove(at("kernel/main.c"));
		expect(await changes(mirror)).toEqual({ changed: [], removed: ["kernel/main.c"] });
		mirror.forget();
		expect((await changes(mirror)).changed).toEqual(["Makefile all:", "user/a.c a"]);
		mirror.dispose();
	});

	test("what a build leaves behind, what no build reads, and what is too large stays where it is", async () => {
		for (const path of ["a.o", "b.d", "kernel.asm", "k.sym", "fs.img", ".git/config", "node_modules/x/a.c", "out/a.c"])
			host.write(at(path), "x");
		host.write(at("big.c"), new Uint8Array(8 * 1024 * 1024 + 1));
		host.write(at("most.c"), new Uint8Array(8 * 1024 * 1024));
		const deep = `${"d/".repeat(12)}a.c`;
		host.write(at(deep), "deep");
		host.write(at(`d/${deep}`), "too deep");
		const mirror = new TreeMirror(root);
		expect((await mirror.changes()).changed.map(({ path }) => path)).toEqual([deep, "most.c"]);
	});

	test("in a virtual workspace only what the window names is looked at again", async () => {
		const far = Uri.from({ scheme: "vscode-vfs", authority: "github", path: "/tree" });
		const on = (path: string) => Uri.joinPath(far, path);
		for (let i = 0; i < 30; i++) host.write(on(`user/p${i}.c`), "x");
		const mirror = new TreeMirror(far as never);
		expect((await changes(mirror)).changed).toHaveLength(30);
		host.looks = 0;
		expect(await changes(mirror)).toEqual({ changed: [], removed: [] });
		expect(host.looks).toBe(0);
		host.write(on("user/p3.c"), "y");
		host.write(on("user/new.o"), "object");
		host.remove(on("user/p4.c"));
		expect(await changes(mirror)).toEqual({ changed: ["user/p3.c y"], removed: ["user/p4.c"] });
		expect(host.looks).toBeLessThan(5);
		// One that is saved in the window, whose watcher has not spoken yet.
		const document = await workspace.openTextDocument(on("user/p5.c"));
		document.edit("z");
		await document.save();
		expect((await changes(mirror)).changed).toEqual(["user/p5.c z"]);
		mirror.forget();
		expect((await changes(mirror)).changed).toHaveLength(29);
		mirror.dispose();
	});

	test("a folder that the window names is looked at with all that is in it; what no build reads is not", async () => {
		const far = Uri.from({ scheme: "vscode-vfs", authority: "github", path: "/tree" });
		const on = (path: string) => Uri.joinPath(far, path);
		host.write(on("kernel/a.c"), "a");
		host.write(on("user/b.c"), "b");
		host.write(on("user/lib/c.c"), "c");
		const mirror = new TreeMirror(far as never);
		await changes(mirror);
		host.files.set(on("user/lib/new.c").toString(), new Uint8Array([110]));
		host.write(on("out/x.c"), "x");
		host.write(on("kernel/a.o"), "x");
		host.name(on("user"));
		host.looks = 0;
		expect(await changes(mirror)).toEqual({ changed: ["user/lib/new.c n"], removed: [] });
		expect(host.looks, "of kernel nothing").toBe(5);
		for (const path of ["user/b.c", "user/lib/c.c", "user/lib/new.c"]) host.files.delete(on(path).toString());
		host.name(on("user"));
		expect(await changes(mirror)).toEqual({ changed: [], removed: ["user/b.c", "user/lib/c.c", "user/lib/new.c"] });
		// Of another workspace, and of a folder whose name begins alike.
		host.write(Uri.file("/tree/kernel/z.c"), "z");
		host.write(Uri.joinPath(far, "../tree2/z.c"), "z");
		expect(await changes(mirror)).toEqual({ changed: [], removed: [] });
		mirror.dispose();
	});

	test("a server that fails in the middle is an error, and the next look is at everything", async () => {
		const far = Uri.from({ scheme: "vscode-vfs", authority: "github", path: "/tree" });
		host.write(Uri.joinPath(far, "a.c"), "a");
		host.write(Uri.joinPath(far, "b.c"), "b");
		const mirror = new TreeMirror(far as never);
		await changes(mirror);
		host.write(Uri.joinPath(far, "a.c"), "a2");
		const stat = vi.spyOn(workspace.fs, "stat").mockRejectedValueOnce(new Error("the server is gone"));
		await expect(mirror.changes()).rejects.toThrow("the server is gone");
		stat.mockRestore();
		host.files.set(Uri.joinPath(far, "c.c").toString(), new Uint8Array([99]));
		expect((await changes(mirror)).changed).toEqual(["a.c a2", "c.c c"]);
		mirror.dispose();
	});

	test("a link that leads nowhere and a file that goes meanwhile are not there", async () => {
		host.write(at("a.c"), "a");
		host.write(at("b.c"), "b");
		const mirror = new TreeMirror(root);
		const { readFile } = workspace.fs;
		const read = vi.spyOn(workspace.fs, "readFile").mockImplementation(async (uri) => {
			if (uri.path === "/tree/a.c") throw FileSystemError.FileNotFound(uri);
			return readFile(uri);
		});
		expect(await changes(mirror)).toEqual({ changed: ["b.c b"], removed: [] });
		read.mockRestore();
		expect(await changes(mirror)).toEqual({ changed: ["a.c a"], removed: [] });
		host.write(at("a.c"), "a2");
		const broken = vi.spyOn(workspace.fs, "readFile").mockRejectedValue(new Error("it cannot be read"));
		await expect(mirror.changes()).rejects.toThrow("it cannot be read");
		broken.mockRestore();
	});
});

test("a tree of the workspace: files, sorted folders, and nothing where nothing is", async () => {
	host.write(at("b/x"), "1");
	host.write(at("c"), "3");
	host.write(at("a"), "2");
	const tree = new WorkspaceTree(root);
	expect(text((await tree.read("b/x")) ?? new Uint8Array())).toBe("1");
	expect(await tree.read("none")).toBeUndefined();
	expect(await tree.list("")).toEqual([
		{ name: "a", kind: "file" },
		{ name: "b", kind: "folder" },
		{ name: "c", kind: "file" },
	]);
	expect(await tree.list("none")).toEqual([]);
	const { readFile, readDirectory } = workspace.fs;
	workspace.fs.readFile = async () => {
		throw new Error("the server is gone");
	};
	await expect(tree.read("a")).rejects.toMatchObject({ code: "file-unreadable", position: { file: "a" } });
	workspace.fs.readFile = readFile;
	workspace.fs.readDirectory = async () => {
		throw new Error("the server is gone");
	};
	await expect(tree.list("b")).rejects.toThrow("the server is gone");
	workspace.fs.readDirectory = readDirectory;
});
