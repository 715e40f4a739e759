/** How the run of one command came to its end. */
export type CommandEnd =
	/** The shell asks for the next command. */
	| { readonly kind: "prompt" }
	| { readonly kind: "panic"; readonly message: string }
	/** The instruction budget is used up. */
	| { readonly kind: "timeout" }
	/** The guest ended the machine. */
	| { readonly kind: "halt"; readonly code: number }
	/** Nothing can wake the guest, and it shows no prompt. */
	| { readonly kind: "stuck" }
	/** More characters than any test prints: it would go on for the rest of its budget. */
	| { readonly kind: "flood"; readonly printed: number };
