//! Proof cases of other implementations, from the folder that `RFC6962_VECTORS` names: the files
//! `inclusion/**/*.json` and `consistency/**/*.json` as Certificate Transparency's projects share them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use compliance_log::{
    chain::Digest,
    seal::merkle::{ConsistencyProof, Frontier, InclusionProof, TreeHash},
};
use data_encoding::BASE64;
use serde::Deserialize;

const VARIABLE: &str = "RFC6962_VECTORS";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// A hash; `None` for what has another length, which cannot even be asked about.
fn hash(text: &str) -> Option<TreeHash> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    Some(TreeHash::new(bytes.try_into().ok()?))
}

/// A root; `None` if there is none. Some cases have words in its place, where it only matters whether
/// two are the same.
fn root(text: Option<&String>) -> Option<TreeHash> {
    let text = text.filter(|text| !text.is_empty())?;
    hash(text).or_else(|| Some(TreeHash::new(*Digest::of(text.as_bytes()).as_bytes())))
}

fn path(texts: Option<&Vec<String>>) -> Option<Vec<TreeHash>> {
    let texts = texts.map(Vec::as_slice).unwrap_or_default();
    texts.iter().map(|text| hash(text)).collect()
}

impl Inclusion {
    fn holds(&self) -> bool {
        let parts = (
            root(self.leaf_hash.as_ref()),
            root(self.root.as_ref()),
            path(self.proof.as_ref()),
        );
        let (Some(leaf), Some(root), Some(path)) = parts else {
            return false;
        };
        let proof = InclusionProof::from_parts(self.leaf_idx, self.tree_size, path);
        proof.check(leaf, root).is_ok()
    }
}

impl Consistency {
    fn holds(&self) -> bool {
        let parts = (
            root(self.root1.as_ref()),
            root(self.root2.as_ref()),
            path(self.proof.as_ref()),
        );
        let (Some(old), Some(new), Some(path)) = parts else {
            return false;
        };
        let proof = ConsistencyProof::from_parts(self.size1, self.size2, path);
        proof.check(old, new).is_ok()
    }
}

/// Every case below a folder, with its file.
fn cases<T: for<'de> Deserialize<'de>>(folder: &Path) -> Vec<(PathBuf, T)> {
    let mut folders = vec![folder.to_owned()];
    let mut cases = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "json") {
                let case = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
                cases.push((path, case));
            }
        }
    }
    cases
}

#[test]
fn proof_cases_of_others_are_judged_as_they_say() {
    let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        eprintln!("==== NOT RUN: {VARIABLE} names no folder of RFC 6962 proof cases ====");
        return;
    };
    let inclusion: Vec<(_, Inclusion)> = cases(&folder.join("inclusion"));
    let consistency: Vec<(_, Consistency)> = cases(&folder.join("consistency"));
    for (file, case) in &inclusion {
        assert_eq!(case.holds(), !case.want_err, "{}", file.display());
    }
    for (file, case) in &consistency {
        assert_eq!(case.holds(), !case.want_err, "{}", file.display());
    }
    println!(
        "{} inclusion and {} consistency cases",
        inclusion.len(),
        consistency.len()
    );
    assert!(!inclusion.is_empty() && !consistency.is_empty());
}

/// The eight leaves that every Certificate Transparency implementation is tested with, and the roots
/// of the trees over the first of them.
#[test]
fn the_known_trees_have_the_known_roots() {
    const LEAVES: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Frontier::new();
    assert_eq!(tree.root().to_string(), ROOTS[0]);
    for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
        tree.append(leaf.parse().unwrap());
        assert_eq!(tree.root().to_string(), *root);
    }
}
