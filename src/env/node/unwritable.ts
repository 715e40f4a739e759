import { UserError } from "../../common/errors.ts";

/** What a failed write means, by its code (errno(3)), and what to do first where the place is not to blame. */
const reasons: Readonly<Record<string, { readonly why: string; readonly first?: string }>> = {
	EACCES: { why: "you may not write there" },
	EPERM: { why: "you may not write there" },
	EROFS: { why: "its file system is read-only" },
	ENOSPC: { why: "the disk is full", first: "Make room" },
	EDQUOT: { why: "your disk quota is used up", first: "Make room" },
	EFBIG: { why: "the system allows no file of that size", first: "Raise the limit (ulimit -f)" },
	EISDIR: { why: "a folder of that name is there", first: "Move that folder" },
	ENOTDIR: { why: "a file stands where a folder is needed" },
	EEXIST: { why: "a file stands where a folder is needed" },
	// What mkdir of a whole path gives in a read-only file system, too.
	ENOENT: { why: "its folder cannot be made there" },
	ENOTEMPTY: { why: "another process has just made it" },
};

/**
 * The error for a write that failed.
 * @param kept what became of what was there: a sentence, or nothing.
 * @param otherwise where else to write, as the rest of a sentence: "choose another folder with --out".
 */
export function unwritable(place: string, error: unknown, kept: string, otherwise: string): UserError {
	const { code, message } = error as NodeJS.ErrnoException;
	const { why, first } = reasons[code ?? ""] ?? { why: message };
	const next = first ? `${first}, or ${otherwise}.` : `${otherwise[0]?.toUpperCase()}${otherwise.slice(1)}.`;
	return new UserError("file-unwritable", `Cannot write ${place}: ${why}`, kept ? `${kept} ${next}` : next);
}
