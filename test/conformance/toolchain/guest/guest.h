#include <stddef.h>
#include <stdint.h>

void print(const char *text);
void hex(uint64_t value);
void number(int64_t value);
void line(const char *name, int count, ...);
