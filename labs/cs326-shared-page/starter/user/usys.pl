#!/usr/bin/perl -w

# Writes usys.S: for each system call a function that puts the call's number
# in a7 and traps into the kernel. Arguments are where the caller put them,
# in a0 and up; the result comes back in a0. A new system call needs a line
# here, its number in kernel/syscall.h and its prototype in user/user.h.

print "# written by usys.pl, do not edit\n";
print "#include \"kernel/syscall.h\"\n";

sub entry {
    my $name = shift;
    print ".global $name\n";
    print "${name}:\n";
    print " li a7, SYS_${name}\n";
    print " ecall\n";
    print " ret\n";
}

entry("fork");
entry("exit");
entry("wait");
entry("pipe");
entry("read");
entry("write");
entry("close");
entry("kill");
entry("exec");
entry("open");
entry("mknod");
entry("unlink");
entry("fstat");
entry("link");
entry("mkdir");
entry("chdir");
entry("dup");
entry("getpid");
entry("sbrk");
entry("sleep");
entry("uptime");
entry("mmap");
entry("mmap4");
entry("munmap");
