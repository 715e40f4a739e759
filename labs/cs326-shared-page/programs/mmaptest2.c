// mmaptest2: parent and child talk through three regions.

#include "kernel/types.h"
#include "kernel/shmem.h"
#define MMAP_REGIONS
#include "user/user.h"

#define REGIONS 3

int
main(void)
{
  volatile int *shared[REGIONS];

  printf("Testing %d shared regions...\n", REGIONS);

  for(int i = 0; i < REGIONS; i++){
    uint64 addr = mmap(4096 * (i + 1), PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    if(addr == 0 || addr == (uint64)-1){
      printf("mmap failed\n");
      exit(1);
    }
    for(int j = 0; j < i; j++){
      if(addr == (uint64)shared[j]){
        printf("Region %d is where region %d is\n", i + 1, j + 1);
        exit(1);
      }
    }
    // volatile: the other process stores there too.
    shared[i] = (int*)addr;
    *shared[i] = 10 * (i + 1);
  }
  printf("Parent wrote: %d %d %d\n", *shared[0], *shared[1], *shared[2]);

  int pid = fork();
  if(pid < 0){
    printf("fork failed\n");
    exit(1);
  }
  if(pid == 0){
    printf("Child read: %d %d %d\n", *shared[0], *shared[1], *shared[2]);
    for(int i = 0; i < REGIONS; i++)
      *shared[i] = 100 * (i + 1);
    printf("Child wrote: %d %d %d\n", *shared[0], *shared[1], *shared[2]);
  } else {
    wait(0);
    printf("Parent read after child: %d %d %d\n", *shared[0], *shared[1], *shared[2]);
  }

  const char *who = pid == 0 ? "Child" : "Parent";
  for(int i = 0; i < REGIONS; i++){
    if(munmap((uint64)shared[i]) != 0){
      printf("%s: munmap failed\n", who);
      exit(1);
    }
  }
  printf("%s: munmap succeeded\n", who);
  exit(0);
}
