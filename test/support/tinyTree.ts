import { utf8 } from "../../src/common/bytes.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";

/** A Makefile in the manner of a course's kernel: prefix probe, conditionals, pattern rules, mkfs, QEMU options. */
export const tinyMakefile = `
K=kernel
U=user

OBJS = \\
  $K/entry.o \\
  $K/main.o \\
  $K/disk.o

ifndef TOOLPREFIX
TOOLPREFIX := $(shell if riscv64-unknown-elf-objdump -i 2>&1 | grep 'elf64-big' >/dev/null 2>&1; \\
	then echo 'riscv64-unknown-elf-'; else exit 1; fi)
endif

CC = $(TOOLPREFIX)gcc
LD = $(TOOLPREFIX)ld
OBJCOPY = $(TOOLPREFIX)objcopy
OBJDUMP = $(TOOLPREFIX)objdump
QEMU = qemu-system-riscv64

CFLAGS = -Wall -Werror -O
CFLAGS += -mcmodel=medany -ffreestanding -I.
CFLAGS += $(shell $(CC) -fno-stack-protector -E -x c /dev/null >/dev/null 2>&1 && echo -fno-stack-protector)
ifneq ($(shell $(CC) -dumpspecs 2>/dev/null | grep -e '[^f]no-pie'),)
CFLAGS += -fno-pie -no-pie
endif
LDFLAGS = -z max-page-size=4096

$K/kernel: $(OBJS) $K/kernel.ld
	$(LD) $(LDFLAGS) -T $K/kernel.ld -o $K/kernel $(OBJS)
	$(OBJDUMP) -S $K/kernel > $K/kernel.asm

ULIB = $U/ulib.o $U/usys.o

_%: %.o $(ULIB)
	$(LD) $(LDFLAGS) -T $U/user.ld -o $@ $^
	$(OBJDUMP) -t $@ | sed '1,/SYMBOL TABLE/d; s/ .* / /; /^$$/d' > $*.sym

$U/usys.S : $U/usys.pl
	perl $U/usys.pl > $U/usys.S

$U/_tight: $U/tight.o $(ULIB)
	# linked without the library
	$(LD) $(LDFLAGS) -N -e main -Ttext 0 -o $U/_tight $U/tight.o $U/usys.o

mkfs/mkfs: mkfs/mkfs.c $K/fs.h
	gcc -Werror -Wall -I. -o mkfs/mkfs mkfs/mkfs.c

UPROGS=\\
	$U/_init\\
	$U/_sh\\
	$U/_tight\\

fs.img: mkfs/mkfs README $(UPROGS)
	mkfs/mkfs fs.img README $(UPROGS)

-include kernel/*.d user/*.d

clean:
	rm -f */*.o $K/kernel fs.img

ifndef CPUS
CPUS := 3
endif
QEMUOPTS = -machine virt -bios none -kernel $K/kernel -m 128M -smp $(CPUS) -nographic
QEMUOPTS += -global virtio-mmio.force-legacy=false
QEMUOPTS += -drive file=fs.img,if=none,format=raw,id=x0
QEMUOPTS += -device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0

qemu: $K/kernel fs.img
	$(QEMU) $(QEMUOPTS)
`;

const tinyFiles: Readonly<Record<string, string>> = {
	Makefile: tinyMakefile,
	README: "read me\n",
	"kernel/entry.S": ".global _entry\n",
	"kernel/main.c": '#include "types.h"\n#include "defs.h"\nint main;\n',
	"kernel/disk.c": '#include "types.h"\nint check(void) { return *R(VIRTIO_MMIO_VERSION) != 2; }\n',
	"kernel/types.h": "typedef unsigned int uint;\n",
	"kernel/defs.h": "void f(void);\n",
	"kernel/fs.h": "#define BSIZE 1024\n#define NDIRECT 12\n#define DIRSIZ 14\n",
	"kernel/param.h": "#define NCPU 8\n#define FSSIZE 100\n",
	"kernel/memlayout.h": "#define KERNBASE 0x80000000L\n#define PHYSTOP (KERNBASE + 128*1024*1024)\n",
	"kernel/kernel.ld": "ENTRY( _entry )\n",
	"user/user.ld": "ENTRY( start )\n",
	"user/user.h": "int fork(void);\n",
	"user/ulib.c": '#include "user/user.h"\n',
	"user/init.c": '#include "kernel/types.h"\n#include "user/user.h"\n',
	"user/sh.c": '#include "user/user.h"\n',
	"user/tight.c": "int main;\n",
	"user/usys.pl": `#!/usr/bin/perl -w
print "#include \\"kernel/syscall.h\\"\\n";
sub entry {
	my $name = shift;
	print ".global $name\\n";
	print "\${name}:\\n";
	print " li a7, SYS_\${name}\\n";
}
entry("fork");
entry("exit");
`,
	"kernel/syscall.h": "#define SYS_fork 1\n",
	"mkfs/mkfs.c": '#include "kernel/fs.h"\n',
};

/** A tree of a dozen files with the given ones changed; `undefined` removes one. */
export function tinyTree(changes: Readonly<Record<string, string | undefined>> = {}): MemoryTree {
	const files = Object.entries({ ...tinyFiles, ...changes }).filter(([, text]) => text !== undefined);
	return new MemoryTree("tiny", new Map(files.map(([path, text]) => [path, utf8(text as string)])));
}
