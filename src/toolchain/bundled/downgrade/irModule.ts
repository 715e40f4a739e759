/** Parts of a type that getelementptr can go into. */
interface Composite {
	/** Type of every element of an array or vector. */
	readonly element?: string;
	readonly fields?: readonly string[];
	/** Number of elements, of a vector only. */
	readonly lanes?: number;
}

/** What a name of the function is beside its `i8*`: the typed pointer that the code really uses. */
interface TypedTwin {
	readonly name: string;
	readonly type: string;
}

/** What the rewrite knows about the module that it is in. Types are spelled as LLVM 13 spells them. */
export class IrModule {
	/** Fields of each named struct; null for an opaque one. */
	readonly structs = new Map<string, readonly string[] | null>();
	/** By the type's spelling. */
	readonly composites = new Map<string, Composite>();
	/** Value type of each global: the object's type or the function's. */
	readonly globals = new Map<string, string>();
	/** Metadata that must disappear, by id. */
	readonly dropped = new Set<string>();
	/** Debug intrinsics that the module must declare. */
	readonly debugIntrinsics = new Set<"declare" | "value" | "label">();
	/** Of the function at hand. */
	twins = new Map<string, TypedTwin>();
	private temporaries = 0;

	/** A name that clang cannot make: the numbers of unnamed values do not move. */
	temporary(): string {
		return `%-${this.temporaries++}`;
	}
}
