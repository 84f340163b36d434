{
  description = "Declare a PBX failover pair and everything around it; validate, plan, apply.";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    rust-overlay = {
      url = "github:oxalica/rust-overlay";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs = { self, nixpkgs, rust-overlay }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      eachSystem = make: nixpkgs.lib.genAttrs systems (system: make (import nixpkgs {
        inherit system;
        overlays = [ (import rust-overlay) ];
      }));
      # One toolchain for the host and, by its extra target, for the plugins.
      toolchainOf = pkgs: pkgs.rust-bin.stable.latest.default.override {
        targets = [ "wasm32-unknown-unknown" ];
      };
    in
    {
      packages = eachSystem (pkgs:
        let
          toolchain = toolchainOf pkgs;
          platform = pkgs.makeRustPlatform { cargo = toolchain; rustc = toolchain; };
          # The build has no network: the crates of both workspaces are fetched before, each by its lock file.
          guestCrates = platform.importCargoLock { lockFile = ./plugins/Cargo.lock; };
        in
        {
          default = platform.buildRustPackage {
            pname = "switchover";
            version = "0.1.0";
            src = self;
            cargoLock.lockFile = ./Cargo.lock;
            cargoBuildFlags = [ "--package" "switchover" ];
            # The tests start servers in network namespaces, which a build may not.
            doCheck = false;
            postPatch = ''
              mkdir -p plugins/.cargo
              cat > plugins/.cargo/config.toml <<EOF
              [source.crates-io]
              replace-with = "vendored"
              [source.vendored]
              directory = "${guestCrates}"
              EOF
            '';
            meta.mainProgram = "switchover";
          };
        });

      devShells = eachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            (toolchainOf pkgs)
            pkgs.cargo-deny
            # What `lab/` runs.
            pkgs.kea
            pkgs.dnsmasq
            pkgs.kamailio
            pkgs.sipp
            pkgs.busybox
            pkgs.iproute2
            pkgs.util-linux
            pkgs.socat
            pkgs.openssh
            pkgs.dnsutils
            pkgs.bind
            pkgs.libfaketime
            pkgs.knot-dns
            pkgs.pdns
            pkgs.sqlite
            pkgs.curl
            pkgs.strace
            pkgs.jq
          ];
        };
      });
    };
}
