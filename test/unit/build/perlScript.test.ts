import { expect, test } from "vitest";
import { runPerlScript } from "../../../src/build/perlScript.ts";
import { UserError } from "../../../src/common/errors.ts";

// The expected outputs are perl 5.36's.
test.each([
	["print joins its list", 'print "a", "b\\n";', "ab\n"],
	["double quotes fill variables in, single quotes do not", `my $n = 'x'; print "$n \${n}y", '$n';`, "x xy$n"],
	["escapes", 'print "\\tq \\"quoted\\" \\$n\\n";', '\tq "quoted" $n\n'],
	[
		"sub with shift",
		'sub entry { my $name = shift; print "$name:\\n"; }\nentry("fork");\nentry("exit");',
		"fork:\nexit:\n",
	],
	["sub with @_", 'sub e { my ($a, $b) = @_; print "$b$a"; }\ne("1", "2");', "21"],
	["sub with $_[0]", 'sub e { print $_[0] . "!"; }\ne("a");', "a!"],
	["if on strings", 'my $n = "b"; if ($n eq "a") { print 1; } elsif ($n ne "b") { print 2; } else { print 3; }', "3"],
	["foreach over qw", 'foreach my $s (qw(a b c)) { print "$s;"; }', "a;b;c;"],
	["foreach over an array", 'my @all = ("a", "b"); for my $s (@all) { print $s; }', "ab"],
	["here-document", 'my $n = "x";\nprint <<"END";\none $n\ntwo\nEND\nprint "three\\n";', "one x\ntwo\nthree\n"],
	["comments and pragmas", "#!/usr/bin/perl -w\nuse strict;\nuse warnings;\n# words\nprint 1; # more", "1"],
])("%s", (_, source, expected) => {
	expect(runPerlScript(source, "user/usys.pl")).toBe(expected);
});

test("the stubs of both kinds of usys.pl come out", () => {
	const small = `sub entry {
    my $prefix = "sys_";
    my $name = shift;
    if ($name eq "sbrk") {
	print ".global $prefix$name\\n";
	print "$prefix$name:\\n";
    } else {
	print ".global $name\\n";
	print "$name:\\n";
    }
    print " li a7, SYS_\${name}\\n";
    print " ecall\\n";
}
entry("fork");
entry("sbrk");
`;
	expect(runPerlScript(small, "user/usys.pl")).toBe(
		".global fork\nfork:\n li a7, SYS_fork\n ecall\n.global sys_sbrk\nsys_sbrk:\n li a7, SYS_sbrk\n ecall\n",
	);
});

test("the last statement of a script or of a block needs no semicolon", () => {
	const script = 'sub entry { my $n = shift; print "$n:\\n" }\nentry("fork");\nentry("exit")\n';
	expect(runPerlScript(script, "user/usys.pl")).toBe("fork:\nexit:\n");
});

test.each([
	["a missing semicolon", 'entry("fork")\nentry("exit");', 1],
	["a string that does not end", '\nprint "abc;\n', 2],
	["an unknown sub", '\n\nentri("fork");', 3],
	["file access", 'print 1;\nopen(my $f, "<", "x");', 2],
	["a script that does not end", 'sub a { a("x"); }\na("x");', 1],
])("%s is named with its line", (_, source, line) => {
	expect(() => runPerlScript(source, "user/usys.pl")).toThrow(
		expect.objectContaining({ code: "makefile-not-understood", position: { file: "user/usys.pl", line } }),
	);
});

test("a block that is never closed is a mistake of the script", () => {
	for (const text of ['sub f {\n  print "x";\n', "if ($a eq 'b') {\n", "foreach my $x ('a') {"]) {
		expect(() => runPerlScript(text, "user/usys.pl")).toThrow(UserError);
		expect(() => runPerlScript(text, "user/usys.pl")).toThrow("A '}' is missing at the end of this script");
	}
});

test.each([
	["texts that double", `$a = "x";\n${'$a = "$a$a";\n'.repeat(60)}`, 23],
	["lists that double", `@a = ("x");\n${"@a = (@a, @a);\n".repeat(60)}`, 17],
	[
		"calls that double",
		`sub s0 { }\n${Array.from({ length: 60 }, (_, i) => `sub s${i + 1} { &s${i}; &s${i}; }\n`).join("")}&s60;\n`,
		2,
	],
])("%s end, with the place", (_, source, line) => {
	expect(() => runPerlScript(source, "user/usys.pl")).toThrow(
		expect.objectContaining({ code: "limit-reached", position: { file: "user/usys.pl", line } }),
	);
});
