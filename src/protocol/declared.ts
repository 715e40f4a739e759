/** What a name in a line of the source is declared as. */
export interface Declared {
	/** As C declares it: `struct proc *p`, `char name[16]`. */
	readonly text: string;
	/** Of a member: its structure, and its offset there in bytes. */
	readonly within?: { readonly type: string; readonly offset: number; readonly size: number };
	readonly kind: "local" | "parameter" | "global" | "member";
}
