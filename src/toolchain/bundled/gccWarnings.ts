/** What turns a warning of gcc 12 on: nothing, `-Wall`, `-Wextra`, or only its own name. */
type EnabledBy = "default" | "all" | "extra" | "name";

/** What gcc 12 has for a group of clang's. */
export interface GccWarning {
	/** Name after `-W`; empty where gcc has no flag for it. */
	readonly name: string;
	readonly by: EnabledBy;
}

/** `clang`, or `clang=gcc` where the names differ; a `-` alone for a warning that gcc has no flag for. */
const table: Readonly<Record<EnabledBy, string>> = {
	default: `
		implicit-function-declaration implicit-int int-conversion incompatible-pointer-types
		incompatible-function-pointer-types=incompatible-pointer-types
		incompatible-pointer-types-discards-qualifiers=discarded-qualifiers
		incompatible-library-redeclaration=builtin-declaration-mismatch
		int-to-pointer-cast int-to-void-pointer-cast=int-to-pointer-cast
		pointer-to-int-cast void-pointer-to-int-cast=pointer-to-int-cast pointer-to-enum-cast=pointer-to-int-cast
		return-mismatch=return-type return-stack-address=return-local-addr
		constant-conversion=overflow integer-overflow=overflow literal-range=overflow
		shift-count-overflow shift-count-negative shift-overflow division-by-zero=div-by-zero
		unused-result deprecated-declarations address-of-packed-member sizeof-array-argument multichar
		builtin-macro-redefined extra-tokens=endif-labels #warnings=cpp unknown-attributes=attributes varargs
		macro-redefined=- visibility=- missing-declarations=- extern-initializer=- excess-initializers=-
		undefined-internal=- static-in-inline=- invalid-noreturn=- pointer-integer-compare=-
		compare-distinct-pointer-types=- pointer-type-mismatch=- conditional-type-mismatch=-
		unknown-escape-sequence=- implicitly-unsigned-literal=- pragma-once-outside-header=-
		tentative-definition-array=- void-ptr-dereference=-`,
	all: `
		return-type main-return-type=main main pointer-sign unused-variable unused-const-variable unused-function unused-label
		unused-local-typedef=unused-local-typedefs unused-but-set-variable unused-value unused-comparison=unused-value
		unevaluated-expression=unused-value uninitialized switch comment char-subscripts missing-braces
		misleading-indentation parentheses logical-op-parentheses=parentheses bitwise-op-parentheses=parentheses
		shift-op-parentheses=parentheses dangling-else logical-not-parentheses unsequenced=sequence-point
		duplicate-decl-specifier tautological-compare tautological-bitwise-compare=tautological-compare
		tautological-pointer-compare=address pointer-bool-conversion=address string-compare=address
		enum-compare bool-operation int-in-bool-context nonnull sizeof-pointer-div sizeof-array-div
		sizeof-pointer-memaccess memset-transposed-args unknown-pragmas trigraphs
		tautological-constant-out-of-range-compare=bool-compare
		format format-insufficient-args=format format-invalid-specifier=format format-extra-args format-zero-length`,
	extra: `
		unused-parameter unused-but-set-parameter empty-body sign-compare missing-field-initializers initializer-overrides=override-init
		implicit-enum-enum-cast=enum-conversion enum-conversion implicit-fallthrough ignored-qualifiers
		shift-negative-value cast-function-type cast-function-type-mismatch=cast-function-type
		tautological-unsigned-zero-compare=type-limits tautological-unsigned-enum-zero-compare=type-limits`,
	name: `
		shadow undef cast-qual cast-align vla conversion sign-conversion implicit-int-conversion=conversion
		shorten-64-to-32=conversion implicit-float-conversion=float-conversion missing-prototypes strict-prototypes
		missing-variable-declarations=missing-declarations declaration-after-statement old-style-definition redundant-decls
		nested-externs switch-enum switch-default float-equal double-promotion gnu-pointer-arith=pointer-arith pointer-arith
		unused-macros frame-larger-than write-strings format-nonliteral format-security format-signedness
		covered-switch-default=switch-default implicit-fallthrough-per-function=implicit-fallthrough bad-function-cast
		unreachable-code long-long overlength-strings padded packed inline invalid-pch date-time stack-protector`,
};

function read(by: EnabledBy): (readonly [string, GccWarning])[] {
	return table[by]
		.split(/\s+/)
		.filter((word) => word !== "")
		.map((word) => {
			const [clang = "", gcc = clang] = word.split("=");
			return [clang, { name: gcc === "-" ? "" : gcc, by }] as const;
		});
}

/**
 * gcc 12's warnings by the group in which clang has the same (gcc manual, 3.8 "Options to Request or Suppress Warnings", and
 * what gcc said of some 250 small files). What is not in here only clang has.
 */
export const gccWarnings: ReadonlyMap<string, GccWarning> = new Map(
	(["name", "extra", "all", "default"] as const).flatMap(read),
);

/** The groups that gcc's own names stand for: `-Wno-unused` turns all of them off. */
const parents: readonly (readonly [string, RegExp])[] = [
	["unused", /^unused-/],
	["format", /^format-/],
	["parentheses", /^dangling-else$/],
	["sequence-point", /^sequence-point$/],
];

/** The `-W` flags of one call, as gcc takes them: a flag of its own counts before a group, and the last one of each. */
export class WarningFlags {
	private readonly on = new Map<string, boolean>();
	private readonly errors = new Map<string, boolean>();
	private all = false;
	private extra = false;
	private errorAll = false;
	private readonly notBuiltin = new Set<string>();

	constructor(flags: readonly string[]) {
		for (const flag of flags) {
			if (flag === "-ffreestanding" || flag === "-fno-builtin") this.notBuiltin.add("");
			else if (flag.startsWith("-fno-builtin-")) this.notBuiltin.add(flag.slice("-fno-builtin-".length));
			const [, no, error, name] = /^-W(no-)?(?:(error)=)?([a-z][\w+-]*)/.exec(flag) ?? [];
			if (name === undefined) {
				if (flag === "-W") this.extra = true;
				continue;
			}
			const yes = no === undefined;
			if (name === "error") this.errorAll = yes;
			else if (error !== undefined) {
				this.errors.set(name, yes);
				if (yes) this.on.set(name, true);
			} else if (name === "all") this.all = yes;
			else if (name === "extra") this.extra = yes;
			else this.on.set(name, yes);
		}
	}

	/** `-Wno-…` of the warning itself or of its group. */
	isOff({ name }: GccWarning): boolean {
		return this.named(this.on, name) === false;
	}

	isOn({ name, by }: GccWarning): boolean {
		const own = this.named(this.on, name);
		if (own !== undefined) return own;
		return by === "default" || (by === "all" && (this.all || this.extraAlone(name))) || (by === "extra" && this.extra);
	}

	isError(warning: GccWarning): boolean {
		return this.isOn(warning) && (this.named(this.errors, warning.name) ?? this.errorAll);
	}

	/** Whether a function of the C library is known for what it is. */
	isBuiltin(name: string): boolean {
		return !this.notBuiltin.has("") && !this.notBuiltin.has(name);
	}

	/** Wanted from clang beside its own `-Wall` and `-Wextra`, which leave them out. */
	additional(): readonly string[] {
		const inExtra = this.extra ? ["-Wimplicit-fallthrough", "-Wtautological-unsigned-zero-compare"] : [];
		return ["-Wstatic-in-inline", ...inExtra];
	}

	/** Some of `-Wall`'s come with `-Wextra`, too. */
	private extraAlone(name: string): boolean {
		return this.extra && /^(uninitialized|unused-but-set-variable)$/.test(name);
	}

	private named(map: ReadonlyMap<string, boolean>, name: string): boolean | undefined {
		const own = map.get(name);
		if (own !== undefined || name === "") return own;
		const parent = parents.find(([, pattern]) => pattern.test(name))?.[0];
		return parent === undefined ? undefined : map.get(parent);
	}
}
