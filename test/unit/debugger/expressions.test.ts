import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DebuggedProgram, type Standing } from "../../support/debuggedProgram.ts";

/**
 * What a person asks for in a watch, beside what the compiled program itself says to the same expression: the guest's memory has C's own
 * answer, in `results`.
 */
const expressions = [
	// Precedence and grouping.
	...[
		"1 + 2 * 3",
		"(1 + 2) * 3",
		"10 - 4 - 3",
		"100 / 7 / 2",
		"100 % 7",
		"2 * 3 % 4",
		"1 << 2 + 1",
		"1 + 1 << 2",
		"-2 * -3",
	],
	...[
		"1 | 2 ^ 3 & 6",
		"6 & 3 == 2",
		"1 < 2 == 1",
		"5 > 4 > 3",
		"3 <= 3",
		"3 >= 4",
		"4 != 4",
		"!0 + !5",
		"~5 & 0xff",
		"- -3",
		"+seven",
	],
	...[
		"1 && 0 || 1",
		"0 || 0",
		"2 && 3",
		"1 ? 2 : 3",
		"0 ? 2 : 1 ? 4 : 5",
		"(1 ? 0 : 1) ? 6 : 7",
		"1 || 1 / 0",
		"0 && 1 / 0",
		"0 ? 1 / 0 : 8",
	],
	// Constants.
	...[
		"017",
		"0x7fffffff",
		"0x80000000",
		"2147483648",
		"4294967295u",
		"0xffffffff",
		"0xffffffffffffffff",
		"123456789012",
		"0b101",
		"10UL",
		"7lu - 8",
		"037777777777",
		"00",
		"0x8000000000000000ll >> 63",
		"0xffffffffl",
		"2147483648u - 2147483649",
		// The largest that four bytes still hold.
		"sizeof 2147483647",
		"sizeof 0xffffffff",
	],
	...[
		"'a'",
		"'\\n'",
		"'\\0'",
		"'\\x41'",
		"'\\101'",
		"'\\\\'",
		"'\\''",
		"'\\t'",
		"'\\r'",
		"GREEN",
		"BLUE + RED",
		"-1u",
		"-1",
		"1u - 2",
		"1l << 40",
		"1ul << 63",
	],
	// Promotions and conversions: C11 6.3.1.1, 6.3.1.8.
	...[
		"octet + 100",
		"octet << 4",
		"small",
		"small - 1",
		"-small",
		"~octet",
		"unsig + 1000000000",
		"unsig + 1000000000l",
		"unsig - 4000000001u",
	],
	...[
		"minus / 2",
		"minus % 3",
		"minus >> 1",
		"(uint)minus >> 1",
		"minus < 7u",
		"minus < 7l",
		"minus == 4294967289u",
		"big / 3",
		"big + unsig",
		"big >> 4",
	],
	...[
		"huge >> 60",
		"huge / 2",
		"huge % 1000",
		"huge > big",
		"(long)huge >> 60",
		"huge + 1",
		"huge * 16",
		"huge == 0xfedcba9876543210",
		"unsig > minus",
	],
	...[
		"(char)300",
		"(signed char)200",
		"(short)70000",
		"(unsigned char)-1",
		"(int)0x1ffffffff",
		"(uint)-1",
		"(long)-1 == -1",
		"(byte)257",
		"(uint64)-2 >> 62",
	],
	...[
		"(unsigned short)-2",
		"(unsigned long)5 - 6 > 0",
		"(enum colour)5 == GREEN",
		"(long long)minus",
		"(unsigned int)minus / 2",
		"(int)(short)40000",
	],
	...[
		"(short int)70000",
		"(int short unsigned)70000",
		"(long unsigned)-1 >> 63",
		"(unsigned long long int)minus >> 60",
		"(int long)minus",
		"sizeof(long int)",
		"(char unsigned)-1",
		"(signed)4000000000u",
		"(signed char)255 + (signed int)1",
	],
	// Both sides of a choice have one type.
	...["1 ? minus : 0u", "(1 ? -1 : 0u) > 0", "0 ? 1l : -1", "(1 ? octet : minus) - 300", "1 ? p : 0", "1 ? GREEN : 9u"],
	// Variables, scopes and structures.
	...[
		"seven",
		"total",
		"argc",
		"p->at.x",
		"p->at.y * 2",
		"first.at.x",
		"p->next->at.x",
		"last.at.y",
		"p->next->next == 0",
		"copy.at.y",
		"copy.colour",
	],
	...[
		"p->colour == GREEN",
		"p->next->colour",
		"p->mask + 1",
		"last.mask",
		"p->name[0]",
		"p->name[4]",
		"(*p).name[1]",
		"*p->name",
		"p->next->name[3]",
	],
	...[
		"flags.low",
		"flags.mid",
		"flags.sign",
		"flags.rest",
		"flags.low + flags.sign",
		"-flags.mid",
		"flags.sign < 0",
		"packed.low",
		"packed.all",
		"packed.end",
		"hidden.low + hidden.before",
		"hidden.high",
		"hidden.both",
		"hidden.half",
		"word.half[0]",
		"word.half[1]",
		"word.bytes[0]",
	],
	...[
		"word.whole >> 56",
		"word.bytes[7] == 0x11",
		"table[3]",
		"table[1 + 1] + table[0]",
		"*table",
		"*(table + 5)",
		"table[5] - table[0]",
		"grid[1][2]",
		"*grid[1]",
		"(*(grid + 1))[1]",
	],
	...[
		"points[1].x",
		"(points + 1)->y",
		"points[0].y",
		"raw[0]",
		"raw[1]",
		"raw[2] + 1",
		"text[0]",
		"text[4] == 'o'",
		"*(text + 5)",
		"octet",
		"big",
		"unsig",
	],
	// Pointers.
	...[
		"&table[3] - table",
		"&table[5] - &table[1]",
		"(long)&table[1] - (long)table",
		"p == &first",
		"p->next == &last",
		"&p->at.y == &first.at.y",
		"p + 1 == &first + 1",
	],
	...[
		"(long)(p + 1) - (long)p",
		"(long)&p->at - (long)p",
		"*&seven",
		"&*p == p",
		"(long)(text + 3) - (long)text",
		"3 + table == &table[3]",
		"*(3 + table)",
		"*(&table[3] - 1)",
		"(long)(p - 1) - (long)p",
		"!nothing",
		"!p",
	],
	...[
		"(long)&points[1] - (long)points",
		"(long)&grid[1] - (long)grid",
		"*(int *)&first.at",
		"*(uint *)&word",
		"((struct point *)&table[2])->y",
		"((int *)points)[3]",
	],
	...[
		"((union word *)&huge)->half[1]",
		"*(char *)p->name",
		"function == add",
		"(long)function == (long)&add",
		"nothing == 0",
		"nowhere > nothing",
		"wide + 1",
		"wide < 0",
		"wide >> 70",
		"(wide << 64) >> 60",
		"p > nothing",
	],
	// Sizes.
	...[
		"sizeof(int)",
		"sizeof(struct node)",
		"sizeof(*p)",
		"sizeof p",
		"sizeof(p->name)",
		"sizeof table",
		"sizeof(table[0])",
		"sizeof grid",
		"sizeof(grid[0])",
		"sizeof(char)",
	],
	...[
		"sizeof(uint64)",
		"sizeof(union word)",
		"sizeof(struct point *)",
		"sizeof flags",
		"sizeof(byte)",
		"sizeof(short)",
		"sizeof(octet + 1)",
		"sizeof(long)",
		"sizeof(enum colour)",
	],
];

const program = new DebuggedProgram(expressions);
let at: Standing;

beforeAll(async () => {
	at = await program.standingAt("here");
}, 120_000);
afterAll(() => program.close());

test("the program that was compiled with these expressions stands where all of them are known", async () => {
	expect(await at.place()).toBe(`main:${program.line("here")}`);
	expect(await at.evaluate("sizeof(results) / sizeof(results[0])")).toBe(`0x${expressions.length.toString(16)}`);
});

test.each(expressions.map((expression, i) => [expression, i] as const))(
	"`%s` is what the compiled program says",
	async (expression, i) => {
		expect(await at.evaluate(`(long)(${expression})`)).toBe(await at.evaluate(`(long)results[${i}]`));
	},
);

describe("a value is shown as", () => {
	test.each([
		["minus", "-7"],
		["unsig", "4000000000"],
		["octet", "200 '\\xc8'"],
		["raw[0]", "97 'a'"],
		["raw[1]", "10 '\\n'"],
		["raw[2]", "3 '\\x03'"],
		["raw[3]", "0 '\\0'"],
		["raw", '"a\\x0a\\x03"'],
		["first.name", '"first"'],
		["huge", "0xfedcba9876543210"],
		["big", "-5000000000"],
		["first.colour", "GREEN"],
		["(enum colour)4", "4"],
		["RED", "0"],
		["real", "-0.625"],
		["single", "0.25"],
		["wide", "-3"],
		["packed", "{low = 5, all = 1588444911, end = 17}"],
		["hidden.high", "19"],
		["1 ? first.colour : last.colour", "GREEN"],
		["1 ? first.colour : 0u", "5"],
		["1 ? octet : 'a'", "200"],
		["0 ? real : single", "0.25"],
		["flags.sign", "-3"],
		["flags", "{low = 5, mid = 100, sign = -3, rest = 9}"],
		["first.at", "{x = -1, y = 2}"],
		["table", "{10, 20, 30, 40, … 6}"],
		["points", "{{x = 1, y = 2}, {x = 3, y = 4}}"],
		["grid", "{{1, 2, 3}, {4, 5, 6}}"],
		["nothing", "0x0"],
		["nowhere", "0x3f00000000"],
		["p->at.x == -1", "1"],
		["word.bytes", '"\\x88wfUD3\\"\\x11"'.replace('\\"', '"')],
		["sizeof(int)", "0x4"],
		["$a0 - $a0", "0x0"],
		["p->next->next", "0x0"],
	])("`%s`: %s", async (expression, text) => {
		expect(await at.evaluate(expression)).toBe(text);
	});

	test("pointers: the address, and the symbol, the text or the members there", async () => {
		const address = async (name: string) => (await at.evaluate(`(uint64)&${name}`)) as string;
		expect(await at.evaluate("p")).toBe(`${await address("first")} <first>`);
		expect(await at.evaluate("1 ? p : 0")).toBe(await at.evaluate("p"));
		expect(await at.evaluate("0 ? 0 : &table[2]")).toBe(await at.evaluate("&table[2]"));
		expect(await at.evaluate("&table[2]")).toBe(`${await at.evaluate("(uint64)&table[2]")} <table+0x8>`);
		expect(await at.evaluate("text")).toMatch(/^0x[0-9a-f]+ "hello\\tworld"$/);
		expect(await at.evaluate("function")).toBe(`${await at.evaluate("(uint64)fib")} <fib>`);
		expect(await at.evaluate("fib")).toBe("fib");
		expect(await at.evaluate("main")).toBe("main");
		// On the stack there is no symbol.
		expect(await at.evaluate("&copy")).toMatch(/^0x[0-9a-f]+ \{name = "last", next = 0x0, colour = BLUE, mask = 0xf/);
		expect(await at.evaluate("&copy.at")).toMatch(/^0x[0-9a-f]+ \{x = 7, y = -8\}$/);
		expect(await at.evaluate("(char *)nowhere")).toBe("0x3f00000000");
	});

	test("hexadecimal where a client asks for it", async () => {
		const hex = { format: { hex: true } };
		expect(await at.evaluate("minus", hex)).toBe("-0x7");
		expect(await at.evaluate("seven", hex)).toBe("0x46");
		expect(await at.evaluate("table", hex)).toBe("{0xa, 0x14, 0x1e, 0x28, … 6}");
		expect(await at.evaluate("first.colour", hex)).toBe("GREEN");
	});

	test("a type beside it, and what is below it", async () => {
		const shape = async (expression: string) => {
			const { type, variablesReference, indexedVariables } = await at.session.ask("evaluate", { expression });
			return [type, variablesReference > 0, indexedVariables];
		};
		expect(await shape("minus")).toEqual(["int", false, undefined]);
		expect(await shape("octet")).toEqual(["byte", false, undefined]);
		expect(await shape("p")).toEqual(["struct node *", true, undefined]);
		expect(await shape("first")).toEqual(["struct node", true, undefined]);
		expect(await shape("table")).toEqual(["int[6]", true, 6]);
		expect(await shape("raw")).toEqual(["char[4]", false, undefined]);
		expect(await shape("text")).toEqual(["char *", false, undefined]);
		expect(await shape("nothing")).toEqual(["void *", false, undefined]);
		expect(await shape("p->next->next")).toEqual(["struct node *", false, undefined]);
		expect(await shape("function")).toEqual(["function *", false, undefined]);
		expect(await shape("&seven")).toEqual(["int *", true, undefined]);
	});
});

test.each([
	["there", "There is no `there` here"],
	["p->nothing", "struct node has no member `nothing`"],
	["seven.x", "A int has no members"],
	["seven[0]", "A int cannot be indexed"],
	["*seven", "A int is no pointer"],
	["*huge", "A uint64 is no pointer: cast it, as in *(int *)x"],
	["first + 1", "A struct node is no number"],
	["1 / 0", "It divides by zero"],
	["real + 1", "A double is shown, but nothing is computed with it"],
	["single > 0", "A float is shown, but nothing is computed with it"],
	["(int)real", "A double is shown, but nothing is computed with it"],
	["(unsigned short long)1", "There is no type `unsigned short long` in prog"],
	["1 % 0", "It divides by zero"],
	["1 << 32", "A shift by 32 of a value with 32 bits"],
	["1 >> -1", "A shift by -1 of a value with 32 bits"],
	["1l << 64", "A shift by 64 of a value with 64 bits"],
	["*(int *)nowhere", "0x3f00000000 is not mapped"],
	["((struct point *)nowhere)->x", "0x3f00000000 is not mapped"],
	// Its first half is the last of the page.
	["*(uint64 *)0x3ffffffffc + 1", "A value is not known here: 0x4000000000 is not mapped"],
	["1 + *(int *)nowhere", "A value is not known here: 0x3f00000000 is not mapped"],
	["add(1, 2)", "The guest's functions cannot be called"],
	["seven = 3", "`=` changes nothing here: use Set Value, or `==` to compare"],
	["(struct nobody *)p", "There is no type `struct nobody` in prog"],
	["(struct point)seven", undefined],
	["(struct point)5", "It cannot be cast to struct point: cast a pointer instead"],
	["&5", "It has no address: it is in a register, or was optimized out"],
	["$nothing", "There is no register $nothing"],
	["$a0.x", "$a0 has no fields"],
	["$sstatus.NO", "$sstatus has no field NO"],
	["1 2", "`2` is too much"],
	["(1", "Here `)` is missing: before `the end`"],
	["table[1", "Here `]` is missing: before `the end`"],
	["1 ? 2", "Here `:` is missing: before `the end`"],
	["12ab", "`12a` is not a number"],
	["089", "`089` is not a number"],
	["1lul", "`1lul` is not a number"],
	["5uu", "`5uu` is not a number"],
	["0b12", "`0b12` is not a number"],
	["0x", "`0x` is not a number"],
	["a.5", "`5` names no member"],
	["$sstatus.5", "`$sstatus.5` names no field"],
	["", "There is no expression"],
	["1 +", "The expression ends too early"],
	["* / 2", "`/` cannot stand here"],
	["seven # 2", "`# 2` is not C"],
])("`%s` is refused, or not known, with the reason: %s", async (expression, reason) => {
	const text = await at.evaluate(expression);
	if (reason === undefined) expect(text).not.toMatch(/^!/);
	else expect(text.replace(/^<(.*)>$/, "! $1.")).toMatch(new RegExp(`^! ${escaped(reason)}`));
});

function escaped(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

describe("registers", () => {
	test("by their names of the ABI, by number, and the CSRs of the hart with their fields", async () => {
		const [top] = await at.frames();
		expect(await at.evaluate("$pc")).toMatch(/^0x[0-9a-f]+/);
		expect(`u3:${(await at.evaluate("(uint64)$pc")) as string}`.replace("u3", "u")).toBe(
			top?.instructionPointerReference?.replace(/^u\d+/, "u"),
		);
		expect(await at.evaluate("$sp == $x2")).toBe("1");
		expect(await at.evaluate("$fp == $s0")).toBe("1");
		expect(await at.evaluate("$zero")).toBe("0x0");
		// In user mode: the trap that comes would come from there.
		expect(await at.evaluate("$satp.MODE")).toBe("0x8");
		expect(await at.evaluate("$SATP.mode == ($satp >> 60)")).toBe("1");
		expect(await at.evaluate("($satp.ppn << 12) == (($satp & 0xfffffffffff) << 12)")).toBe("1");
		expect(await at.evaluate("$mhartid")).toBe("0x0");
		expect(await at.evaluate("($sstatus >> 1 & 1) == $sstatus.SIE")).toBe("1");
	});
});

describe("names", () => {
	test("the innermost block's, then the program's; the kernel's are reached from a program", async () => {
		expect(await at.evaluate("seven")).toBe("70");
		expect(await at.evaluate("sizeof(proc[0].name)")).toBe("0x10");
		expect(await at.evaluate("proc[0].name")).toBe('"init"');
		expect(await at.evaluate("(struct proc *)&proc[1]")).toMatch(/^0x80[0-9a-f]+ </);
		expect(await at.evaluate("ticks > 0")).toBe("1");
		expect(await at.evaluate("proc[0].state")).toBe("SLEEPING");
		expect(await at.evaluate("*proc[1].name")).toBe("115 's'");
	});

	test("of a frame that called, its own", async () => {
		const [, caller] = await at.frames();
		expect(caller?.name).toBe("start");
		expect(await at.evaluate("seven", { frameId: caller?.id })).toBe("7");
		expect(await at.evaluate("p", { frameId: caller?.id })).toMatch(/^! There is no `p` here/);
		expect(await at.evaluate("seven", { frameId: 9999 })).toMatch(/^! This frame is of an earlier stop/);
	});
});
