import type { DebugProtocol } from "@vscode/debugprotocol";
import type { DebugTarget } from "./target.ts";

/** How the client names the tree's files, and counts lines and columns. */
export class Sources {
	linesFromOne = true;
	columnsFromOne = true;
	tree: Pick<DebugTarget, "root" | "hasFile"> | undefined;

	/** The client can open it. */
	has(file: string): boolean {
		return this.tree?.hasFile(file) === true;
	}

	columnOut(column: number): number {
		return column - (this.columnsFromOne ? 0 : 1);
	}

	of(file: string): DebugProtocol.Source {
		const root = this.tree?.root ?? "";
		const name = file.replace(/^.*\//, "");
		return { name, path: file.startsWith("/") || root === "" ? file : `${root.replace(/\/$/, "")}/${file}` };
	}

	/** Relative to the tree, as debug information has it. */
	fileOf(source: DebugProtocol.Source | undefined): string {
		const path = String(source?.path ?? source?.name ?? "").replaceAll("\\", "/");
		const root = (this.tree?.root ?? "").replaceAll("\\", "/").replace(/\/$/, "");
		if (root !== "" && path.toLowerCase().startsWith(`${root.toLowerCase()}/`)) return path.slice(root.length + 1);
		// Some other checkout of the tree: its last two names are what counts.
		return path.split("/").slice(-2).join("/");
	}

	lineIn(line: number): number {
		return Math.trunc(Number(line)) + (this.linesFromOne ? 0 : 1);
	}

	lineOut(line: number): number {
		return line - (this.linesFromOne ? 0 : 1);
	}
}
