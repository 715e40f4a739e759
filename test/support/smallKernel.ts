import { utf8 } from "../../src/common/bytes.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { tinyMakefile } from "./tinyTree.ts";

const moreRules = `
$U/usys.o : $U/usys.S
	$(CC) $(CFLAGS) -c -o $U/usys.o $U/usys.S
$K/kernel: $U/initcode
$U/initcode: $U/initcode.S
	$(CC) $(CFLAGS) -march=rv64g -nostdinc -I. -Ikernel -c $U/initcode.S -o $U/initcode.o
	$(LD) $(LDFLAGS) -N -e start -Ttext 0 -o $U/initcode.out $U/initcode.o
	$(OBJCOPY) -S -O binary $U/initcode.out $U/initcode
`;

/**
 * A kernel that says hello and stops, small enough to be compiled for real in every test: C, assembly with an include,
 * linker scripts, generated system-call stubs, a program without the library, initcode, and a mkfs of its own.
 */
const smallFiles: Readonly<Record<string, string>> = {
	Makefile: tinyMakefile.replace("fs.img: mkfs/mkfs", "fs.img: $U/initcode mkfs/mkfs") + moreRules,
	README: "a small kernel\n",
	"kernel/layout.h": "#define UART 0x10000000\n#define FINISHER 0x100000\n",
	"kernel/types.h": "typedef unsigned int uint;\ntypedef unsigned char uchar;\ntypedef unsigned long uint64;\n",
	"kernel/defs.h": "int check(void);\nvoid say(const char *text);\n",
	"kernel/fs.h": "#define BSIZE 1024\n#define NDIRECT 12\n#define DIRSIZ 14\n#define FSMAGIC 0x10203040\n",
	"kernel/param.h": "#define NCPU 8\n#define FSSIZE 200\n",
	"kernel/entry.S": `#include "layout.h"
.section .text
.global _entry
_entry:
        csrr t0, mhartid
        bnez t0, spin
        la sp, stack_top
        call main
        # the test finisher's word for success
        li t1, FINISHER
        li t2, 0x5555
        sw t2, 0(t1)
spin:
        wfi
        j spin
.section .bss
        .balign 16
        .space 4096
stack_top:
`,
	"kernel/main.c": `#include "types.h"
#include "layout.h"
#include "defs.h"
void
say(const char *text)
{
  for(; *text; text++)
    *(volatile uchar *)UART = *text;
}
int
main(void)
{
  say(check() == 42 ? "hello\\n" : "wrong\\n");
  return 0;
}
`,
	"kernel/disk.c": '#include "defs.h"\nint\ncheck(void)\n{\n  return 42;\n}\n',
	"kernel/kernel.ld": `OUTPUT_ARCH( "riscv" )
ENTRY( _entry )
SECTIONS
{
  . = 0x80000000;
  .text : { kernel/entry.o(.text) *(.text .text.*) }
  .rodata : { *(.srodata .srodata.* .rodata .rodata.*) }
  .data : { *(.sdata .sdata.* .data .data.*) }
  .bss : { *(.sbss .sbss.* .bss .bss.*) }
}
`,
	"kernel/syscall.h": "#define SYS_fork 1\n#define SYS_exit 2\n",
	"user/user.h": "int fork(void);\nint exit(int);\n",
	"user/user.ld": `OUTPUT_ARCH( "riscv" )
SECTIONS
{
  . = 0x0;
  .text : { *(.text .text.*) }
  .rodata : { *(.srodata .srodata.* .rodata .rodata.*) }
  . = ALIGN(0x1000);
  .data : { *(.sdata .sdata.* .data .data.*) }
  .bss : { *(.sbss .sbss.* .bss .bss.*) }
}
`,
	"user/ulib.c": '#include "user/user.h"\nextern int main(void);\nvoid\nstart(void)\n{\n  main();\n  exit(0);\n}\n',
	"user/init.c": '#include "user/user.h"\nint\nmain(void)\n{\n  return fork();\n}\n',
	"user/sh.c": '#include "user/user.h"\nint\nmain(void)\n{\n  exit(3);\n  return 0;\n}\n',
	"user/tight.c": '#include "user/user.h"\nvoid\nmain(void)\n{\n  exit(1);\n}\n',
	"user/initcode.S": '#include "syscall.h"\n.globl start\nstart:\n        li a7, SYS_exit\n        ecall\n',
	"user/usys.pl": `#!/usr/bin/perl -w
print "#include \\"kernel/syscall.h\\"\\n";
sub entry {
    my $name = shift;
    print ".global $name\\n";
    print "\${name}:\\n";
    print " li a7, SYS_\${name}\\n";
    print " ecall\\n";
    print " ret\\n";
}
entry("fork");
entry("exit");
`,
	"mkfs/mkfs.c": `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include "kernel/fs.h"
#include "kernel/param.h"

int
main(int argc, char *argv[])
{
  static unsigned char block[BSIZE];
  unsigned super[2] = { FSMAGIC, FSSIZE };
  int out = open(argv[1], O_RDWR|O_CREAT|O_TRUNC, 0666);
  if(out < 0){
    perror(argv[1]);
    exit(1);
  }
  write(out, block, BSIZE);
  memcpy(block, super, sizeof(super));
  write(out, block, BSIZE);
  for(int i = 2; i < argc; i++){
    int in = open(argv[i], 0);
    if(in < 0){
      perror(argv[i]);
      exit(1);
    }
    memset(block, 0, BSIZE);
    strcpy((char *)block, argv[i]);
    write(out, block, BSIZE);
    for(;;){
      memset(block, 0, BSIZE);
      int n = read(in, block, BSIZE);
      if(n <= 0)
        break;
      write(out, block, BSIZE);
    }
    close(in);
  }
  printf("made of %d files\\n", argc - 2);
  return 0;
}
`,
};

/** The small kernel with the given files changed; `undefined` removes one. */
export function smallKernel(changes: Readonly<Record<string, string | undefined>> = {}): MemoryTree {
	const files = Object.entries({ ...smallFiles, ...changes }).filter(([, text]) => text !== undefined);
	return new MemoryTree("small", new Map(files.map(([path, text]) => [path, utf8(text as string)])));
}
