// mmaptest: parent and child talk through the shared page.

#include "kernel/types.h"
#include "user/user.h"

static void
unmap(const char *who, uint64 addr)
{
  if(munmap(addr) != 0){
    printf("%s: munmap failed\n", who);
    exit(1);
  }
  printf("%s: munmap succeeded\n", who);
}

int
main(void)
{
  printf("Testing mmap shared memory...\n");

  uint64 addr = mmap();
  if(addr == 0 || addr == (uint64)-1){
    printf("mmap failed\n");
    exit(1);
  }
  printf("Mapped shared memory at %p\n", (void*)addr);

  // volatile: the other process stores there too.
  volatile int *shared = (int*)addr;
  *shared = 42;
  printf("Parent wrote: %d\n", *shared);

  int pid = fork();
  if(pid < 0){
    printf("fork failed\n");
    exit(1);
  }
  if(pid == 0){
    printf("Child read: %d\n", *shared);
    *shared = 100;
    printf("Child wrote: %d\n", *shared);
    unmap("Child", addr);
    exit(0);
  }

  wait(0);
  printf("Parent read after child: %d\n", *shared);
  unmap("Parent", addr);
  exit(0);
}
