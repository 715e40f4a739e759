import * as v from "valibot";

/**
 * How a lab's kernel keeps its mapped regions, as data in lab.json, so that no kernel is known to this program. A field is a C path
 * from one element of the array: `addr`, `mmr_family.listid`, `region->refcount` (a dot follows pointers too).
 */
const fieldPath = v.pipe(
	v.string(),
	v.regex(/^[A-Za-z_]\w*(\[\d+\])?((\.|->)[A-Za-z_]\w*(\[\d+\])?)*$/, "a path of members such as mmr_family.listid"),
);
const hexAddress = v.pipe(v.string(), v.regex(/^0x[0-9a-fA-F]{1,16}$/, "a hexadecimal address such as 0x4000000"));
const bit = v.pipe(v.number(), v.integer(), v.minValue(0));

export const regionDescriptionSchema = v.object({
	/** What a student calls it: `mapped region`. */
	name: v.pipe(v.string(), v.minLength(1)),
	/**
	 * `proc.mmr[]`: an array in each struct proc. `proc.vmas`: a structure, or a pointer to the first of a list (see `next`).
	 * `shmem` or `regions[]`: a global structure or array; a process has such a region where it maps its frames.
	 * `struct shmem_page`: the global variable of this type, whatever its name.
	 */
	path: v.pipe(
		v.string(),
		v.regex(
			/^((proc\.)?[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\[\])?|struct [A-Za-z_]\w*)$/,
			"proc.member[], a variable, or struct name",
		),
	),
	/** Member that points to the next element of a linked list. */
	next: v.optional(fieldPath),
	fields: v.object({
		start: v.optional(fieldPath),
		/** In bytes. */
		length: v.optional(fieldPath),
		/** One past the last byte, where there is no length. */
		end: v.optional(fieldPath),
		pages: v.optional(fieldPath),
		prot: v.optional(fieldPath),
		flags: v.optional(fieldPath),
		/** 0: the element is free. */
		valid: v.optional(fieldPath),
		/** Regions with one number (0 or more), or one pointer, share frames. */
		family: v.optional(fieldPath),
		refcount: v.optional(fieldPath),
		/** Physical address of the first page. */
		frame: v.optional(fieldPath),
	}),
	/** Where the region always is, when the kernel keeps no address. */
	start: v.optional(hexAddress),
	/** Its size, when the kernel keeps none. */
	pages: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
	/** Bits in `prot`; default: as PTE_R, PTE_W and PTE_X (2, 4, 8). */
	protBits: v.optional(v.object({ read: bit, write: bit, execute: v.optional(bit) })),
	/** Bit in `flags` that means shared; default 1. Without `flags` a global region is shared, another is private. */
	sharedBit: v.optional(bit),
	/** More members to show by path. */
	show: v.optional(v.array(fieldPath)),
});

export type RegionDescription = v.InferOutput<typeof regionDescriptionSchema>;
