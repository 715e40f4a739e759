import { plain, type StructType } from "../debuginfo/types.ts";
import type { KernelNames } from "./kernelNames.ts";
import type { RegionDescription } from "./regionDescription.ts";

const starts = ["addr", "start", "va", "vaddr", "base", "begin", "va_start", "vm_start", "vastart", "start_addr"];
const lengths = ["length", "len", "size", "sz"];
const ends = ["end", "va_end", "vm_end", "vaend", "end_addr"];
const marks = ["valid", "used", "is_used", "in_use", "inuse", "isused", "mapped", "allocated"];
const names = /vma|mmr|mmap|region|mapping/i;

/**
 * Arrays of `struct proc` that look like a table of mapped regions, as the mmap labs of other courses have them. Their elements name places
 * in the address space; nothing is concluded from what they do not say.
 */
export function likelyRegions({ proc }: KernelNames): readonly RegionDescription[] {
	for (const member of proc?.element.members ?? []) {
		const array = plain(member.type);
		const element = array?.kind === "array" ? plain(array.element) : undefined;
		if (element?.kind !== "struct" || !(names.test(member.name) || names.test(element.name))) continue;
		const start = firstOf(element, starts);
		const length = firstOf(element, lengths);
		const end = firstOf(element, ends);
		if (start === undefined || (length === undefined && end === undefined)) continue;
		const valid = firstOf(element, marks) ?? length ?? end;
		return [
			{
				name: "mapped region",
				path: `proc.${member.name}[]`,
				fields: {
					start,
					...(length === undefined ? { end } : { length }),
					...(valid === undefined ? {} : { valid }),
				},
			},
		];
	}
	return [];
}

const firstOf = (type: StructType, wanted: readonly string[]): string | undefined =>
	wanted.find((name) => type.members.some((member) => member.name === name));
