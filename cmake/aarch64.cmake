# Cross-compiles for AArch64 with Debian's compiler and runs what it makes under qemu. ./run neon installs both, and unpacks cmocka for
# AArch64 into build-aarch64/root.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;/usr/aarch64-linux-gnu)

set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_CURRENT_LIST_DIR}/../build-aarch64/root")
set(ENV{PKG_CONFIG_LIBDIR} "$ENV{PKG_CONFIG_SYSROOT_DIR}/usr/lib/aarch64-linux-gnu/pkgconfig")   # and nothing of this machine
