#!/usr/bin/perl -w

# Writes usys.S: for each system call a function that puts the call's number
# in a7 and traps into the kernel. Arguments are where the caller put them,
# in a0 and up; the result comes back in a0. A new system call needs a line
# here, its number in kernel/syscall.h and its prototype in user/user.h.

print "# written by usys.pl, do not edit\n";
print "#include \"kernel/syscall.h\"\n";

sub entry {
    my $name = shift;
    print <<"END";
.globl $name
$name:
        li a7, SYS_$name
        ecall
        ret
END
}

entry("fork");
entry("exit");
entry("wait");
entry("kill");
entry("exec");
entry("sbrk");
entry("sleep");
entry("getpid");
entry("uptime");

entry("open");
entry("close");
entry("read");
entry("write");
entry("dup");
entry("pipe");
entry("fstat");
entry("chdir");
entry("mknod");
entry("mkdir");
entry("link");
entry("unlink");
