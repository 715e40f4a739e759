/** Words of the language that several parts of the rewrite ask for. */
const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

/** Everything else is a hint that llc does not need, or unknown to LLVM 13. */
export const keptAttributes = set(
	`zeroext signext inreg returned nest noalias nonnull noundef align noreturn nounwind naked noinline optnone optsize minsize
	cold noredzone returns_twice strictfp ssp sspreq sspstrong nobuiltin builtin`,
);

/** A constant begins with one of these: attributes end before it. */
export const valueWords = set(
	`null undef poison zeroinitializer true false none splat c getelementptr bitcast ptrtoint ptrtoaddr inttoptr addrspacecast
	trunc add sub mul shl xor blockaddress no_cfi dso_local_equivalent asm`,
);

/** Flags of instructions that LLVM 13 knows. */
export const keptFlags = set("nuw nsw exact inbounds fast nnan ninf nsz arcp contract afn reassoc");
export const droppedFlags = set("nusw nneg disjoint samesign");

export const casts = set(
	"trunc zext sext fptrunc fpext fptoui fptosi uitofp sitofp ptrtoint ptrtoaddr inttoptr bitcast addrspacecast",
);

export const binaryOperators = set("add sub mul udiv sdiv urem srem shl lshr ashr and or xor fadd fsub fmul fdiv frem");

/** What may stand before a global's or a function's type; `dso_preemptable` is the default and is left out. */
export const linkageWords = set(
	`private internal available_externally linkonce weak common appending extern_weak linkonce_odr weak_odr external dso_local
	dso_preemptable default hidden protected dllimport dllexport thread_local unnamed_addr local_unnamed_addr
	externally_initialized`,
);
