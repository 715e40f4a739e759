import { UserError } from "../../../common/errors.ts";
import { inBytes, limits } from "../../../common/limits.ts";

/**
 * What an archive holds, in memory: nothing of it is ever written to a disk, so that no name can lead anywhere. Names that try to are
 * refused all the same: nobody packs a kernel like that by accident.
 */
export class ArchiveFiles {
	readonly files = new Map<string, Uint8Array>();
	/** Files that were too big to be read. */
	readonly skipped: string[] = [];
	private readonly links: { readonly path: string; readonly target: string; readonly shown: string }[] = [];
	private entries = 0;
	private bytes = 0;

	/** Bytes that may still come out of the archive. */
	get room(): number {
		return limits.submissionBytes - this.bytes;
	}

	/** A place for one more entry; undefined: a folder's own, or one that is nobody's work. */
	place(name: string): string | undefined {
		if (++this.entries > limits.treeEntries) {
			throw refused(`The archive has more than ${limits.treeEntries.toLocaleString("en")} entries`);
		}
		const parts = name.replaceAll("\\", "/").split("/");
		if (name.includes("\0")) throw refused("The archive has an entry with a zero byte in its name");
		if (parts.includes("..") || parts[0] === "" || /^[A-Za-z]:$/.test(parts[0] ?? "")) {
			throw refused(`The archive has an entry that leads out of it: ${name}`);
		}
		const path = parts.filter((part) => part !== "" && part !== ".").join("/");
		return path === "" || isNoise(path) ? undefined : path;
	}

	add(path: string, bytes: Uint8Array): void {
		this.bytes += bytes.length;
		if (this.bytes > limits.submissionBytes) throw tooMuch();
		this.files.set(path, bytes);
	}

	/** `target` as it is written there; `from`: the folder that it counts from. */
	link(path: string, target: string, from: string): void {
		const parts: string[] = from === "" ? [] : from.split("/");
		const leadsOut = () => refused(`The archive has a link that leads out of it: ${path} -> ${target}`);
		if (target.startsWith("/") || target.includes("\0")) throw leadsOut();
		for (const part of target.replaceAll("\\", "/").split("/")) {
			if (part === "" || part === ".") continue;
			if (part !== "..") parts.push(part);
			else if (parts.pop() === undefined) throw leadsOut();
		}
		this.links.push({ path, target: parts.join("/"), shown: target });
	}

	/** A link to a file of the archive is that file; one to a folder or into nowhere is nothing. */
	resolveLinks(): void {
		for (const { path, target } of this.links) {
			const bytes = this.files.get(target);
			if (bytes && !this.files.has(path)) this.files.set(path, bytes);
		}
	}
}

/** What systems and compilers leave, and what would make two equal trees differ. */
export function isNoise(path: string): boolean {
	return /(^|\/)(__MACOSX|\.git|\.svn|\.hg|\.vscode|\.idea|\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)(\/|$)/.test(
		path,
	);
}

/** What `make` has left. */
export function isBuilt(path: string): boolean {
	return /\.(o|d|asm|sym)$|(^|\/)(fs\.img|mkfs\/mkfs|kernel\/kernel|user\/_[^/]*|user\/usys\.S|xv6\.out|barrier|ph)$/.test(
		path,
	);
}

export function refused(message: string): UserError {
	return new UserError("submission-unreadable", message, "Ask for it again, as a .zip or .tar.gz of the tree.");
}

export function tooMuch(): UserError {
	return refused(`The archive holds more than ${inBytes(limits.submissionBytes)}`);
}

/** Takes compressed bytes apart; throws `RangeError` when more than `most` bytes come out, any other error for damage. */
export type Inflate = (bytes: Uint8Array, format: "raw" | "gzip", most: number) => Uint8Array;
