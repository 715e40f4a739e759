// Rewrites LLVM 22 textual IR (opaque pointers, debug records, new attributes)
// into IR that the LLVM 13 `llc` accepts (typed pointers, llvm.dbg.* calls).
//
// Model: every `ptr` becomes `i8*`. A local SSA name therefore always has type
// i8*; instructions that need a typed pointer get a `bitcast` in front of them,
// instructions that produce one (alloca, getelementptr) get a `bitcast` behind.
// Inserted names start with `%-` (legal in IR, impossible for clang to emit), so
// the numbering of unnamed values does not move.
//
// C only: no C++ EH, no callbr (asm goto), no scalable vectors.

const TYPE_WORD = /(?:void|i\d+|ptr|half|bfloat|float|double|fp128|x86_fp80|metadata|label|token)\b/y;
const NAME = /[%@](?:"[^"]*"|[-\w$.]+)/y;
const WORD = /[A-Za-z_][\w.]*/y;
const NUMBER = /-?\d[\w.+-]*|\+0x\w+/y;
const STRING = /"[^"]*"/y;

// Attributes kept on parameters / returns / calls / functions. Everything else is
// an optimisation hint that llc does not need, or unknown to LLVM 13.
const KEEP_ATTR = new Set([
	"zeroext",
	"signext",
	"inreg",
	"returned",
	"nest",
	"noalias",
	"nonnull",
	"noundef",
	"align",
	"noreturn",
	"nounwind",
	"naked",
	"noinline",
	"optnone",
	"optsize",
	"minsize",
	"cold",
	"noredzone",
	"returns_twice",
	"strictfp",
	"ssp",
	"sspreq",
	"sspstrong",
	"nobuiltin",
	"builtin",
]);
const VALUE_WORD = new Set([
	"null",
	"undef",
	"poison",
	"zeroinitializer",
	"true",
	"false",
	"none",
	"splat",
	"c",
	"getelementptr",
	"bitcast",
	"ptrtoint",
	"ptrtoaddr",
	"inttoptr",
	"addrspacecast",
	"trunc",
	"add",
	"sub",
	"mul",
	"shl",
	"xor",
	"blockaddress",
	"no_cfi",
	"dso_local_equivalent",
	"asm",
]);
const FLAG = new Set([
	"nuw",
	"nsw",
	"exact",
	"inbounds",
	"nusw",
	"nneg",
	"disjoint",
	"samesign",
	"fast",
	"nnan",
	"ninf",
	"nsz",
	"arcp",
	"contract",
	"afn",
	"reassoc",
]);
const KEEP_FLAG = new Set([
	"nuw",
	"nsw",
	"exact",
	"inbounds",
	"fast",
	"nnan",
	"ninf",
	"nsz",
	"arcp",
	"contract",
	"afn",
	"reassoc",
]);
const CASTS = new Set([
	"trunc",
	"zext",
	"sext",
	"fptrunc",
	"fpext",
	"fptoui",
	"fptosi",
	"uitofp",
	"sitofp",
	"ptrtoint",
	"ptrtoaddr",
	"inttoptr",
	"bitcast",
	"addrspacecast",
]);
const BINARY = new Set([
	"add",
	"sub",
	"mul",
	"udiv",
	"sdiv",
	"urem",
	"srem",
	"shl",
	"lshr",
	"ashr",
	"and",
	"or",
	"xor",
	"fadd",
	"fsub",
	"fmul",
	"fdiv",
	"frem",
]);
const PASS = new Set(["br", "switch", "unreachable", "fence"]); // no pointer operands
const LINKAGE = new Set([
	"private",
	"internal",
	"available_externally",
	"linkonce",
	"weak",
	"common",
	"appending",
	"extern_weak",
	"linkonce_odr",
	"weak_odr",
	"external",
	"dso_local",
	"dso_preemptable",
	"default",
	"hidden",
	"protected",
	"dllimport",
	"dllexport",
	"thread_local",
	"unnamed_addr",
	"local_unnamed_addr",
	"externally_initialized",
]);

// Fields of specialised metadata that LLVM 13 knows.
const DI_FIELDS = Object.fromEntries(
	Object.entries({
		DILocation: "line column scope inlinedAt isImplicitCode",
		DISubrange: "count lowerBound upperBound stride",
		DIEnumerator: "name value isUnsigned",
		DIBasicType: "tag name size align encoding flags",
		DIDerivedType: "tag name file line scope baseType size align offset flags extraData dwarfAddressSpace",
		DICompositeType:
			"tag name file line scope baseType size align offset flags elements runtimeLang vtableHolder identifier discriminator",
		DISubroutineType: "flags cc types",
		DIFile: "filename directory checksumkind checksum source",
		DICompileUnit:
			"language file producer isOptimized flags runtimeVersion splitDebugFilename emissionKind enums retainedTypes globals imports macros dwoId splitDebugInlining debugInfoForProfiling nameTableKind rangesBaseAddress sysroot sdk",
		DISubprogram:
			"scope name linkageName file line type scopeLine containingType virtualIndex thisAdjustment flags spFlags unit declaration retainedNodes",
		DILexicalBlock: "scope file line column",
		DILexicalBlockFile: "scope file discriminator",
		DILocalVariable: "name arg scope file line type flags align",
		DIGlobalVariable: "scope name linkageName file line type isLocal isDefinition declaration align",
		DIGlobalVariableExpression: "var expr",
		DILabel: "scope name file line",
		DIMacro: "type line name value",
		DIMacroFile: "type line file nodes",
	}).map(([k, v]) => [k, new Set(v.split(" "))]),
);

class Cursor {
	constructor(s, i = 0) {
		this.s = s;
		this.i = i;
	}
	ws() {
		while (this.s.charCodeAt(this.i) === 32) this.i++;
		return this;
	}
	match(re) {
		this.ws();
		re.lastIndex = this.i;
		const m = re.exec(this.s);
		if (!m) return null;
		this.i = re.lastIndex;
		return m[0];
	}
	peekWord() {
		this.ws();
		WORD.lastIndex = this.i;
		const m = WORD.exec(this.s);
		return m ? m[0] : null;
	}
	peek() {
		this.ws();
		return this.s[this.i];
	}
	try(lit) {
		this.ws();
		if (!this.s.startsWith(lit, this.i)) return false;
		this.i += lit.length;
		return true;
	}
	tryWord(w) {
		if (this.peekWord() !== w) return false;
		this.i += w.length;
		return true;
	}
	expect(lit) {
		if (!this.try(lit)) this.fail(`expected '${lit}'`);
	}
	rest() {
		const r = this.s.slice(this.i);
		this.i = this.s.length;
		return r;
	}
	balanced() {
		// text of a (...) group, cursor after it
		this.ws();
		const b = this.i;
		let depth = 0;
		for (; this.i < this.s.length; this.i++) {
			const c = this.s[this.i];
			if (c === '"') {
				this.i = this.s.indexOf('"', this.i + 1);
				continue;
			}
			if (c === "(") depth++;
			else if (c === ")" && --depth === 0) {
				this.i++;
				break;
			}
		}
		return this.s.slice(b, this.i);
	}
	fail(msg) {
		throw new Error(`IR downgrade: ${msg} at column ${this.i}: ${this.s.slice(0, 300)}`);
	}
}

function splitTop(s) {
	// split on top-level commas
	const out = [];
	let depth = 0,
		b = 0;
	for (let i = 0; i < s.length; i++) {
		const c = s[i];
		if (c === '"') i = s.indexOf('"', i + 1);
		else if (c === "(" || c === "{" || c === "[") depth++;
		else if (c === ")" || c === "}" || c === "]") depth--;
		else if (c === "," && depth === 0) {
			out.push(s.slice(b, i));
			b = i + 1;
		}
	}
	if (b < s.length) out.push(s.slice(b));
	return out.map((x) => x.trim());
}

export function downgrade(text, { features = "+m,+a,+f,+d,+c" } = {}) {
	const lines = text.split("\n");
	const out = [];
	const structs = new Map(); // %name -> [field types] (LLVM 13 spelling)
	const composite = new Map(); // spelled type -> {elem} | {fields}
	const globals = new Map(); // @name -> value type (object type or function type)
	const dropped = new Set(); // metadata ids that must disappear (!N)
	const used = { value: false, declare: false, label: false };
	let temps = 0,
		raw = new Map(); // raw: local -> {name, type} typed twin of an i8* local

	// ---- types ---------------------------------------------------------------
	function type(c) {
		let t;
		const w = c.match(TYPE_WORD);
		if (w) {
			t = w === "ptr" ? "i8*" : w;
			if (w === "ptr" && c.tryWord("addrspace")) c.fail("address spaces");
		} else if (c.peek() === "%") t = c.match(NAME);
		else if (c.try("[")) {
			const n = c.match(NUMBER);
			c.expect("x");
			const e = type(c);
			c.expect("]");
			composite.set((t = `[${n} x ${e}]`), { elem: e });
		} else if (c.s.startsWith("<{", c.i) || c.peek() === "{") {
			const packed = c.try("<");
			c.expect("{");
			const f = [];
			if (!c.try("}")) {
				do f.push(type(c));
				while (c.try(","));
				c.expect("}");
			}
			if (packed) c.expect(">");
			t = packed ? `<{ ${f.join(", ")} }>` : `{ ${f.join(", ")} }`;
			composite.set(t, { fields: f });
		} else if (c.try("<")) {
			const n = c.match(NUMBER);
			c.expect("x");
			const e = type(c);
			c.expect(">");
			composite.set((t = `<${n} x ${e}>`), { elem: e, vector: +n });
		} else c.fail("type expected");
		return t;
	}
	const atType = (c) => {
		c.ws();
		TYPE_WORD.lastIndex = c.i;
		return TYPE_WORD.test(c.s) || "%[{<".includes(c.s[c.i]);
	};
	// type reached by getelementptr indices (values as text), the first index already dropped
	function indexed(t, idx, c) {
		for (const v of idx) {
			const k = t[0] === "%" ? structs.get(t) && { fields: structs.get(t) } : composite.get(t);
			if (!k) c.fail(`cannot index type ${t}`);
			t = k.elem ?? k.fields[Number(v)];
			if (t === undefined) c.fail("bad struct index");
		}
		return t;
	}

	// ---- attributes ----------------------------------------------------------
	// Reads attributes up to the next type/value/punctuation. Returns kept ones as text (with a trailing space).
	function attrs(c, note) {
		let r = "";
		for (;;) {
			const ch = c.peek();
			if (ch === '"') {
				let s = c.match(STRING);
				if (c.try("=")) s += "=" + c.match(STRING);
				r += s + " ";
				continue;
			}
			if (ch === "#") {
				r += c.match(/#\d+/y) + " ";
				continue;
			}
			const w = c.peekWord();
			if (!w || VALUE_WORD.has(w) || (c.s[c.i] === "c" && c.s[c.i + 1] === '"')) return r;
			TYPE_WORD.lastIndex = c.i;
			if (TYPE_WORD.test(c.s)) return r;
			c.i += w.length;
			let arg = "";
			if (c.s[c.i] === "(") arg = c.balanced();
			else if (w === "align") arg = " " + c.match(NUMBER);
			if (w === "elementtype" && note) note.elementtype = type(new Cursor(arg, 1));
			if (KEEP_ATTR.has(w)) r += w + arg + " ";
		}
	}

	// ---- values --------------------------------------------------------------
	const ptrTo = (t) => t + "*";
	function globalAs(name, want, c) {
		const t = globals.get(name);
		if (t === undefined) c.fail(`unknown global ${name}`);
		return ptrTo(t) === want ? name : `bitcast (${ptrTo(t)} ${name} to ${want})`;
	}
	// value of (LLVM 13) type t; `want` overrides the pointer type a constant shall have
	function value(c, t, want = t) {
		const ch = c.peek();
		if (ch === "@") return globalAs(c.match(NAME), want, c);
		if (ch === "%") return c.match(NAME);
		if (ch === "[") return c.i++, list(c, "[", "]");
		if (ch === "<" && c.s[c.i + 1] === "{") return (c.i += 2), list(c, "<{", "}>");
		if (ch === "{") return c.i++, list(c, "{", "}");
		if (ch === "<") return c.i++, list(c, "<", ">");
		if (ch === "c" && c.s[c.i + 1] === '"') {
			c.i++;
			return "c" + c.match(STRING);
		}
		const n = c.match(NUMBER);
		if (n !== null) return n;
		const w = c.match(WORD);
		switch (w) {
			case "null":
			case "undef":
			case "poison":
			case "zeroinitializer":
			case "true":
			case "false":
			case "none":
				return w;
			case "splat": {
				c.expect("(");
				const e = typed(c);
				c.expect(")");
				return `<${Array(composite.get(t).vector).fill(e).join(", ")}>`;
			}
			case "no_cfi":
			case "dso_local_equivalent":
				return globalAs(c.match(NAME), want, c);
			case "blockaddress": {
				c.expect("(");
				const f = c.match(NAME);
				c.expect(",");
				const b = c.match(NAME);
				c.expect(")");
				return `blockaddress(${f}, ${b})`;
			}
			case "getelementptr": {
				const inb = flags(c).includes("inbounds");
				if (c.tryWord("inrange")) c.balanced();
				c.expect("(");
				const g = gepOperands(c, null);
				c.expect(")");
				const e = `getelementptr ${inb ? "inbounds " : ""}(${g.text})`;
				return ptrTo(g.result) === want ? e : `bitcast (${ptrTo(g.result)} ${e} to ${want})`;
			}
		}
		if (CASTS.has(w)) {
			flags(c);
			c.expect("(");
			const v = typed(c);
			if (!c.tryWord("to")) c.fail("expected 'to'");
			const d = type(c);
			c.expect(")");
			const e = `${w === "ptrtoaddr" ? "ptrtoint" : w} (${v} to ${d})`;
			return d === "i8*" && want !== "i8*" ? `bitcast (i8* ${e} to ${want})` : e;
		}
		if (BINARY.has(w)) {
			const f = flags(c)
				.filter((x) => x !== "disjoint")
				.join(" ");
			c.expect("(");
			const a = typed(c);
			c.expect(",");
			const b = typed(c);
			c.expect(")");
			return `${w} ${f ? f + " " : ""}(${a}, ${b})`;
		}
		return c.fail(`value expected, got ${w}`);
	}
	function list(c, open, close) {
		const r = [];
		if (!c.try(close)) {
			do r.push(typed(c));
			while (c.try(","));
			c.expect(close);
		}
		return open === "[" ? `[${r.join(", ")}]` : `${open} ${r.join(", ")} ${close}`;
	}
	function typed(c) {
		const t = type(c);
		return `${t} ${value(c, t)}`;
	}
	function flags(c) {
		const r = [];
		for (let w; FLAG.has((w = c.peekWord())); ) {
			c.i += w.length;
			if (KEEP_FLAG.has(w)) r.push(w);
		}
		return r;
	}
	// `ptr V` used as a pointer to `elem`: returns "elem* value"; inserts a bitcast if V is a local.
	function pointer(c, elem, pre) {
		if (type(c) !== "i8*") c.fail("pointer operand expected");
		attrs(c);
		return pointerValue(c, elem, pre);
	}
	function pointerValue(c, elem, pre) {
		const want = ptrTo(elem);
		const v = value(c, "i8*", want);
		if (v[0] !== "%" || want === "i8*") return `${want} ${v}`;
		const r = raw.get(v);
		if (r && r.type === want) return `${want} ${r.name}`;
		if (!pre) c.fail("local in constant expression");
		const t = `%-${temps++}`;
		pre.push(`${t} = bitcast i8* ${v} to ${want}`);
		return `${want} ${t}`;
	}
	function gepOperands(c, pre) {
		const t = type(c);
		c.expect(",");
		const p = pointer(c, t, pre);
		const idx = [],
			vals = [];
		while (c.try(",")) {
			const it = type(c);
			const v = value(c, it);
			idx.push(`${it} ${v}`);
			vals.push(v);
		}
		return { text: [t, p, ...idx].join(", "), result: indexed(t, vals.slice(1), c) };
	}

	// ---- calls ---------------------------------------------------------------
	const FIXED_INTRINSIC =
		/^@llvm\.(memcpy|memmove|memset|memcpy\.inline|lifetime\.(?:start|end)|prefetch|objectsize|ptrmask|frameaddress|invariant\.(?:start|end)|masked\.\w+)\./;
	function intrinsicName(n) {
		n = n.replace(/^@llvm\.memset\.inline\./, "@llvm.memset.");
		if (!n.startsWith("@llvm.") || !/\.p0\b/.test(n)) return n;
		return FIXED_INTRINSIC.test(n) ? n.replace(/\.p0(?=\.|$)/g, ".p0i8") : n.replace(/\.p0(?=\.|$)/g, "");
	}
	const DROP_CALL = /^@llvm\.(assume|experimental\.noalias\.scope\.decl|fake\.use|allow\.\w+\.check)\b/;

	function call(c, res, prefix, pre, dbg) {
		let head =
			prefix +
			"call " +
			flags(c)
				.map((f) => f + " ")
				.join("");
		for (let w; /^(ccc|fastcc|coldcc|tailcc|preserve_\w+cc|cc)$/.test((w = c.peekWord() ?? "")); ) {
			c.i += w.length;
			head += w + " ";
			if (w === "cc") head += c.match(NUMBER) + " ";
		}
		head += attrs(c);
		const ret = type(c);
		let fnType = null;
		if (c.peek() === "(") fnType = `${ret} (${signature(c).join(", ")})`;
		let asm = null,
			callee = null;
		if (c.tryWord("asm")) {
			asm = "asm ";
			for (let w; /^(sideeffect|alignstack|inteldialect|unwind)$/.test((w = c.peekWord() ?? "")); ) {
				c.i += w.length;
				asm += w + " ";
			}
			asm += c.match(STRING);
			c.expect(",");
			asm += ", " + c.match(STRING);
		} else callee = c.peek() === "%" || c.peek() === "@" ? c.match(NAME) : { ce: value(c, "i8*") };
		c.expect("(");
		const args = [],
			argTypes = [];
		if (!c.try(")")) {
			do {
				if (c.tryWord("metadata")) {
					args.push("metadata " + c.match(/[^,)]+/y));
					argTypes.push("metadata");
					continue;
				}
				const t = type(c),
					note = {};
				const a = attrs(c, note);
				if (asm && note.elementtype) {
					args.push(pointerValue(c, note.elementtype, pre));
					argTypes.push("");
					continue;
				}
				args.push(`${t} ${a}${value(c, t)}`);
				argTypes.push(t);
			} while (c.try(","));
			c.expect(")");
		}
		const tail = (" " + attrs(c)).trimEnd();
		if (c.try("[")) c.rest(); // operand bundles: hints only
		const emit = (calleeText, argv = args) => `${res}${head}${calleeText}(${argv.join(", ")})${tail}${dbg}`;
		if (asm) return emit(`${ret} ${asm}`);
		const ft = fnType ?? `${ret} (${argTypes.join(", ")})`;
		if (typeof callee === "string" && callee.startsWith("@llvm.")) {
			if (DROP_CALL.test(callee)) return null;
			if (callee.startsWith("@llvm.lifetime.") && args.length === 1)
				return emit(`void ${intrinsicName(callee)}`, ["i64 -1", ...args]);
			if (callee.startsWith("@llvm.threadlocal.address"))
				return `${res}bitcast ${args[0].replace(/ (noundef|nonnull|align \d+)/g, "")} to i8*`;
			const m = /^@llvm\.([us])cmp\.(\w+)\.(\w+)$/.exec(callee);
			if (m) {
				// three-way compare, new in LLVM 19
				const [a, b] = args.map((x) => x.split(" ").pop()),
					t = `%-${temps++}`,
					u = `%-${temps++}`,
					v = `%-${temps++}`;
				pre.push(
					`${t} = icmp ${m[1]}gt ${m[3]} ${a}, ${b}`,
					`${u} = icmp ${m[1]}lt ${m[3]} ${a}, ${b}`,
					`${v} = zext i1 ${t} to ${m[2]}`,
				);
				return `${res}select i1 ${u}, ${m[2]} -1, ${m[2]} ${v}`;
			}
			return emit(`${ft.startsWith(ret + " (") && fnType ? ft : ret} ${intrinsicName(callee)}`);
		}
		if (typeof callee === "string" && callee[0] === "@") {
			const f = globalAs(callee, ptrTo(ft), c);
			return emit(f === callee ? `${fnType ?? ret} ${f}` : `${ft} ${f}`);
		}
		let v = callee.ce ?? callee;
		if (callee.ce) v = `bitcast (i8* ${v} to ${ptrTo(ft)})`;
		else {
			const t = `%-${temps++}`;
			pre.push(`${t} = bitcast i8* ${v} to ${ptrTo(ft)}`);
			v = t;
		}
		return emit(`${ft} ${v}`);
	}

	// ---- functions and globals -----------------------------------------------
	// Parameter types of "(...)"; with `render` also the rewritten parameter texts.
	function signature(c, render) {
		c.expect("(");
		const t = [];
		if (c.try(")")) return t;
		do {
			if (c.try("...")) {
				t.push("...");
				render?.push("...");
				continue;
			}
			const p = type(c),
				a = attrs(c),
				n = c.peek() === "%" ? c.match(NAME) : "";
			t.push(p);
			render?.push(`${p} ${a}${n}`.trim());
		} while (c.try(","));
		c.expect(")");
		return t;
	}
	// Parses "define|declare ..." up to and including the parameter list.
	function functionHead(c) {
		const kw = c.match(WORD);
		let lead = "";
		while (c.try("!")) {
			c.match(WORD);
			c.match(/!\d+/y);
		} // !dbg on declarations
		for (let w; LINKAGE.has((w = c.peekWord())) || /^(ccc|fastcc|coldcc)$/.test(w ?? ""); ) {
			c.i += w.length;
			if (w !== "dso_preemptable") lead += w + " ";
		}
		lead += attrs(c);
		const ret = type(c),
			name = c.match(NAME),
			params = [];
		const types = signature(c, params);
		return { kw, lead, ret, name, params, type: `${ret} (${types.join(", ")})` };
	}
	function functionTail(c) {
		let r = "";
		for (;;) {
			const w = c.peekWord();
			if (w === "unnamed_addr" || w === "local_unnamed_addr") {
				c.i += w.length;
				r += " " + w;
			} else if (w === "section" || w === "gc") {
				c.i += w.length;
				r += ` ${w} ` + c.match(STRING);
			} else if (w === "align") {
				c.i += 5;
				r += " align " + c.match(NUMBER);
			} else if (w === "comdat") {
				c.i += 6;
				r += " comdat";
				if (c.peek() === "(") r += c.balanced();
			} else if (w || c.peek() === "#" || c.peek() === '"') {
				const b = c.i,
					a = attrs(c);
				r += " " + a.trim();
				if (c.i === b) c.fail("function suffix");
			} else if (c.try("!")) {
				const k = c.match(WORD),
					id = c.match(/!\d+/y);
				if (k === "dbg") r += ` !dbg ${id}`;
			} else if (c.try("{")) return r.trimEnd() + " {";
			else if (c.i >= c.s.length) return r.trimEnd();
			else c.fail("function suffix");
		}
	}
	// "@x = <linkage...> global|constant|alias T ..."; returns head text and cursor after the keyword.
	function globalHead(c) {
		const name = c.match(NAME);
		c.expect("=");
		let lead = "";
		for (;;) {
			const w = c.match(WORD);
			if (w === "global" || w === "constant" || w === "alias" || w === "ifunc") return { name, lead, kind: w };
			if (!LINKAGE.has(w)) c.fail(`global: unexpected ${w}`);
			if (w === "dso_preemptable") continue;
			lead += w;
			if (c.s[c.i] === "(") lead += c.balanced();
			lead += " ";
		}
	}
	function global(line) {
		const c = new Cursor(line),
			{ name, lead, kind } = globalHead(c),
			t = type(c);
		if (kind === "alias" || kind === "ifunc") {
			if (c.peek() === "(") signature(c);
			c.expect(",");
			type(c);
			return `${name} = ${lead}${kind} ${globals.get(name)}, ${ptrTo(globals.get(name))} ${value(c, "i8*", ptrTo(globals.get(name)))}`;
		}
		let init = "";
		if (c.peek() && c.peek() !== ",") init = " " + value(c, t);
		let suffix = "";
		for (const p of splitTop(c.rest().replace(/^\s*,/, ""))) {
			if (/^(section|align|comdat|partition)\b/.test(p)) suffix += ", " + p;
			else {
				const m = /^!dbg (!\d+)/.exec(p);
				if (m && !dropped.has(m[1])) suffix += ", " + p;
			}
		}
		return `${name} = ${lead}${kind} ${t}${init}${suffix}`;
	}

	// ---- instructions --------------------------------------------------------
	function instruction(line, pre, post) {
		// metadata attachments: only !dbg survives
		let dbg = "";
		const md = /(?:, ![\w.]+ ![\w()]+)+$/.exec(line);
		if (md) {
			dbg = /, !dbg !\d+/.exec(md[0])?.[0] ?? "";
			line = line.slice(0, md.index);
		}
		// `*(int*)0` gets "align 4294967296"; LLVM 13 stops at 2^29
		if (line.includes(", align ")) line = line.replace(/, align (\d{10,})/, ", align 536870912");
		const c = new Cursor(line);
		let dest = "",
			res = "";
		if (c.peek() === "%") {
			dest = c.match(NAME);
			c.expect("=");
			res = dest + " = ";
		}
		const op = c.match(WORD);
		if (op === null || PASS.has(op)) return line + dbg;
		const end = () => c.rest() + dbg;

		// result of a typed-pointer producing instruction: keep twin, publish i8*
		const publish = (elem, text) => {
			if (elem === "i8") return `${res}${text}`;
			const t = `%-${temps++}`;
			raw.set(dest, { name: t, type: ptrTo(elem) });
			post.push(`${dest} = bitcast ${ptrTo(elem)} ${t} to i8*`);
			return `${t} = ${text}`;
		};
		switch (op) {
			case "tail":
			case "musttail":
			case "notail": {
				c.expect("call");
				return call(c, res, op + " ", pre, dbg);
			}
			case "call":
				return call(c, res, "", pre, dbg);
			case "alloca": {
				c.tryWord("inalloca");
				const t = type(c),
					save = c.i;
				let n = "";
				if (c.try(",") && atType(c)) n = ", " + typed(c);
				else c.i = save; // ", i64 %n" or ", align 8"
				return publish(t, `alloca ${t}${n}${end()}`);
			}
			case "load": {
				let q = "";
				for (let w; /^(atomic|volatile)$/.test((w = c.peekWord() ?? "")); ) {
					c.i += w.length;
					q += w + " ";
				}
				const t = type(c);
				c.expect(",");
				return `${res}load ${q}${t}, ${pointer(c, t, pre)}${end()}`;
			}
			case "store": {
				let q = "";
				for (let w; /^(atomic|volatile)$/.test((w = c.peekWord() ?? "")); ) {
					c.i += w.length;
					q += w + " ";
				}
				const t = type(c),
					v = value(c, t);
				c.expect(",");
				return `store ${q}${t} ${v}, ${pointer(c, t, pre)}${end()}`;
			}
			case "getelementptr": {
				const inb = flags(c).includes("inbounds"),
					g = gepOperands(c, pre);
				return publish(g.result, `getelementptr ${inb ? "inbounds " : ""}${g.text}${end()}`);
			}
			case "cmpxchg": {
				let q = "";
				for (let w; /^(weak|volatile)$/.test((w = c.peekWord() ?? "")); ) {
					c.i += w.length;
					q += w + " ";
				}
				const save = c.i;
				type(c);
				attrs(c);
				value(c, "i8*");
				c.expect(",");
				const t = type(c);
				c.i = save; // look ahead for the type
				const p = pointer(c, t, pre);
				c.expect(",");
				const a = typed(c);
				c.expect(",");
				const b = typed(c);
				return `${res}cmpxchg ${q}${p}, ${a}, ${b}${end()}`;
			}
			case "atomicrmw": {
				let q = "";
				if (c.tryWord("volatile")) q = "volatile ";
				const k = c.match(WORD),
					save = c.i;
				type(c);
				attrs(c);
				value(c, "i8*");
				c.expect(",");
				const t = type(c);
				c.i = save;
				if (t !== "i8*") {
					const p = pointer(c, t, pre);
					c.expect(",");
					return `${res}atomicrmw ${q}${k} ${p}, ${typed(c)}${end()}`;
				}
				const p = pointer(c, "i64", pre);
				c.expect(","); // exchange of a pointer: through i64
				const a = `%-${temps++}`,
					r = `%-${temps++}`;
				pre.push(`${a} = ptrtoint ${typed(c)} to i64`);
				post.push(`${res}inttoptr i64 ${r} to i8*`);
				return `${r} = atomicrmw ${q}${k} ${p}, i64 ${a}${end()}`;
			}
			case "phi": {
				const f = flags(c)
						.map((x) => x + " ")
						.join(""),
					t = type(c),
					in_ = [];
				do {
					c.expect("[");
					const v = value(c, t);
					c.expect(",");
					const b = c.match(NAME);
					c.expect("]");
					in_.push(`[ ${v}, ${b} ]`);
				} while (c.try(","));
				return `${res}phi ${f}${t} ${in_.join(", ")}${dbg}`;
			}
			case "select": {
				const f = flags(c)
						.map((x) => x + " ")
						.join(""),
					a = typed(c);
				c.expect(",");
				const b = typed(c);
				c.expect(",");
				return `${res}select ${f}${a}, ${b}, ${typed(c)}${end()}`;
			}
			case "icmp":
			case "fcmp": {
				const f = flags(c)
						.map((x) => x + " ")
						.join(""),
					p = c.match(WORD),
					t = type(c),
					a = value(c, t);
				c.expect(",");
				return `${res}${op} ${f}${p} ${t} ${a}, ${value(c, t)}${end()}`;
			}
			case "ret":
				return c.tryWord("void") ? `ret void${dbg}` : `ret ${typed(c)}${end()}`;
			case "freeze":
				return `${res}freeze ${typed(c)}${end()}`;
			case "fneg": {
				const f = flags(c)
					.map((x) => x + " ")
					.join("");
				return `${res}fneg ${f}${typed(c)}${end()}`;
			}
			case "va_arg": {
				const p = typed(c);
				c.expect(",");
				return `${res}va_arg ${p}, ${type(c)}${end()}`;
			}
			case "extractvalue":
				return `${res}extractvalue ${typed(c)}${end()}`;
			case "insertvalue":
			case "extractelement":
			case "insertelement":
			case "shufflevector": {
				const v = [typed(c)];
				while (c.try(",")) {
					if (/\d/.test(c.peek())) {
						v.push(c.rest().trim());
						break;
					}
					v.push(typed(c));
				}
				return `${res}${op} ${v.join(", ")}${end()}`;
			}
			case "indirectbr": {
				const v = typed(c);
				return `indirectbr ${v}${end()}`;
			}
		}
		if (BINARY.has(op)) {
			const f = flags(c)
					.map((x) => x + " ")
					.join(""),
				t = type(c),
				a = value(c, t);
			c.expect(",");
			return `${res}${op} ${f}${t} ${a}, ${value(c, t)}${end()}`;
		}
		if (CASTS.has(op)) {
			flags(c);
			const v = typed(c);
			if (!c.tryWord("to")) c.fail("expected 'to'");
			return `${res}${op === "ptrtoaddr" ? "ptrtoint" : op} ${v} to ${type(c)}${end()}`;
		}
		return c.fail(`unsupported instruction ${op}`);
	}

	// ---- debug records -------------------------------------------------------
	const NEW_DW_OP = /DW_OP_LLVM_(extract_bits|poison|implicit_)/;
	function debugRecord(line) {
		const c = new Cursor(line),
			kind = c.match(/#dbg_\w+/y).slice(5),
			args = splitTop(c.balanced().slice(1, -1));
		const loc = `, !dbg ${args[args.length - 1]}`;
		if (kind === "label") {
			used.label = true;
			return `call void @llvm.dbg.label(metadata ${args[0]})${loc}`;
		}
		let v = args[0],
			expr = args[2];
		// A location that LLVM 13 cannot express ends the variable's range: undef.
		if (v.startsWith("!DIArgList(") || NEW_DW_OP.test(expr)) {
			v = "i64 undef";
			expr = /DW_OP_LLVM_fragment, \d+, \d+/.exec(expr)?.[0] ?? "";
			expr = `!DIExpression(${expr})`;
		} else if (v[0] !== "!") {
			const vc = new Cursor(v),
				t = type(vc);
			const x = value(vc, t);
			const r = raw.get(x); // the typed twin is what the code really uses
			v = r ? `${r.type} ${r.name}` : `${t} ${x === "poison" ? "undef" : x}`;
		}
		const fn = kind === "declare" ? "declare" : "value"; // dbg_assign carries a value too
		used[fn] = true;
		return `call void @llvm.dbg.${fn}(metadata ${v}, metadata ${args[1]}, metadata ${expr})${loc}`;
	}

	// ---- metadata ------------------------------------------------------------
	function metadata(line) {
		const m = /^(!\d+) = (distinct )?!(DI\w+)\((.*)\)$/.exec(line);
		if (!m) {
			if (line.startsWith("!llvm.errno.tbaa")) return null;
			// Min merge behaviour (8) is newer than LLVM 13
			line = line.replace(/= !\{i32 8, /, "= !{i32 7, ");
			if (dropped.size && line.includes("!")) {
				const l = /^(!\d+) = (distinct )?!\{(!\d+(?:, !\d+)*)\}$/.exec(line);
				if (l) {
					const keep = l[3].split(", ").filter((x) => !dropped.has(x));
					return `${l[1]} = ${l[2] ?? ""}!{${keep.join(", ")}}`;
				}
			}
			return line
				.replace(/\bptr (@(?:"[^"]*"|[-\w$.]+))/g, (_, g) => `i8* ${globalAs(g, "i8*", new Cursor(line))}`)
				.replace(/\bptr null\b/g, "i8* null");
		}
		const [, id, distinct = "", kind, body] = m;
		if (kind === "DIAssignID" || dropped.has(id)) return `${id} = !{}`;
		const known = DI_FIELDS[kind];
		if (!known) return line; // DIExpression and the like
		const f = splitTop(body)
			.filter((x) => known.has(x.slice(0, x.indexOf(":"))))
			.map((x) =>
				x.startsWith("language: DW_LANG_C1") || x.startsWith("language: DW_LANG_C2") ? "language: DW_LANG_C11" : x,
			);
		return `${id} = ${distinct}!${kind}(${f.join(", ")})`;
	}

	// ---- pass 1: struct types, globals, debug nodes to drop ---------------------
	const unnamedVar = new Set();
	for (const line of lines) {
		const ch = line[0];
		if (ch === "%" && line.includes(" = type ")) {
			const c = new Cursor(line),
				n = c.match(NAME);
			c.expect("=");
			c.expect("type");
			if (c.tryWord("opaque")) structs.set(n, null);
			else {
				const t = type(c);
				structs.set(n, composite.get(t).fields);
			}
		} else if (ch === "@") {
			const c = new Cursor(line),
				g = globalHead(c);
			globals.set(g.name, type(c));
			if (c.peek() === "(") globals.set(g.name, `${globals.get(g.name)} (${signature(c).join(", ")})`);
		} else if (ch === "d" && /^(define|declare) /.test(line)) {
			const f = functionHead(new Cursor(line));
			globals.set(f.name, f.type);
		} else if (ch === "!") {
			// string literals have nameless debug variables: not allowed in LLVM 13
			const m = /^(!\d+) = distinct !DIGlobalVariable\((?!.*\bname: )/.exec(line);
			if (m) {
				dropped.add(m[1]);
				unnamedVar.add(m[1]);
			}
		}
	}
	if (unnamedVar.size)
		for (const line of lines) {
			const m = /^(!\d+) = !DIGlobalVariableExpression\(var: (!\d+)/.exec(line);
			if (m && unnamedVar.has(m[2])) dropped.add(m[1]);
		}

	// ---- pass 2: rewrite -------------------------------------------------------
	let body = false;
	for (const line of lines) {
		if (body) {
			if (line === "}") {
				body = false;
				out.push(line);
				continue;
			}
			if (line === "" || line[0] === ";") continue;
			if (line[0] !== " ") {
				out.push(line.replace(/\s*;.*$/, ""));
				continue;
			} // label
			if (line.startsWith("    #dbg_")) {
				const r = debugRecord(line);
				if (r) out.push("  " + r);
				continue;
			}
			if (line.startsWith("    ")) {
				out.push(line);
				continue;
			} // switch cases
			if (line.startsWith("  ]")) {
				out.push("  ]" + (/, !dbg !\d+/.exec(line)?.[0] ?? ""));
				continue;
			}
			const pre = [],
				post = [];
			const r = instruction(line.slice(2), pre, post);
			for (const p of pre) out.push("  " + p);
			if (r !== null) out.push("  " + r);
			for (const p of post) out.push("  " + p);
			continue;
		}
		switch (line[0]) {
			case undefined:
			case ";":
				continue;
			case "t":
				out.push(line.startsWith("target datalayout") ? line.replace("-n32:64-", "-n64-") : line);
				continue;
			case "%": {
				const n = NAME;
				n.lastIndex = 0;
				const name = n.exec(line)[0],
					f = structs.get(name);
				out.push(
					`${name} = type ${f === null ? "opaque" : line.includes("<{") ? `<{ ${f.join(", ")} }>` : `{ ${f.join(", ")} }`}`,
				);
				continue;
			}
			case "@":
				out.push(global(line));
				continue;
			case "!": {
				const r = metadata(line);
				if (r !== null) out.push(r);
				continue;
			}
			case "a":
				if (line.startsWith("attributes ")) {
					out.push(attributeGroup(line));
					continue;
				}
				out.push(line);
				continue;
			case "d": {
				const c = new Cursor(line),
					f = functionHead(c);
				if (f.kw === "declare" && (DROP_CALL.test(f.name) || /^@llvm\.(dbg\.|[us]cmp\.|threadlocal)/.test(f.name)))
					continue;
				if (f.name.startsWith("@llvm.lifetime.") && f.params.length === 1) f.params.unshift("i64");
				const tail = functionTail(c);
				out.push(
					`${f.kw} ${f.lead}${f.ret} ${intrinsicName(f.name)}(${f.params.join(", ")})${f.kw === "declare" ? tail.replace(/ !dbg !\d+/, "") : tail}`,
				);
				if (f.kw === "define") {
					body = true;
					raw = new Map();
				}
				continue;
			}
			default:
				out.push(line); // source_filename, module asm, comdats, uselistorder
		}
	}
	if (used.declare) out.push("declare void @llvm.dbg.declare(metadata, metadata, metadata)");
	if (used.value) out.push("declare void @llvm.dbg.value(metadata, metadata, metadata)");
	if (used.label) out.push("declare void @llvm.dbg.label(metadata)");
	out.push("");
	return out.join("\n");

	function attributeGroup(line) {
		const m = /^(attributes #\d+ = \{ )(.*) \}$/.exec(line);
		const strings = [],
			words = [];
		const c = new Cursor(m[2]);
		while (c.peek()) {
			if (c.peek() === '"') {
				let s = c.match(STRING),
					v = "";
				if (c.try("=")) v = "=" + c.match(STRING);
				if (s === '"target-features"') v = `="${features}"`;
				strings.push(s + v);
			} else {
				const w = c.match(WORD);
				if (!w) c.fail("attribute");
				let arg = "";
				if (c.s[c.i] === "(") arg = c.balanced();
				else if (c.try("=")) arg = "=" + c.match(NUMBER);
				if (KEEP_ATTR.has(w)) words.push(w + arg);
			}
		}
		return `${m[1]}${[...words, ...strings].join(" ")} }`;
	}
}
